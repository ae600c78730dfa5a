// Replaces llama.cpp's escape sequences in prompts: \n \r \t \' \" \\ and \xNN.

const SIMPLE: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  "'": "'",
  '"': '"',
  "\\": "\\",
};

/**
 * Replaces the escape sequences that llama.cpp replaces, and keeps every other backslash. `\xNN` is
 * a byte: several in a row may form one UTF-8 character.
 */
export function processEscapes(text: string): string {
  return text.replace(
    /((?:\\x[0-9A-Fa-f]{2})+)|\\([nrt'"\\])/g,
    (_whole, bytes: string | undefined, letter: string | undefined) => {
      if (bytes !== undefined)
        return Buffer.from(bytes.replaceAll("\\x", ""), "hex").toString("utf8");
      return SIMPLE[letter ?? ""] ?? "";
    },
  );
}
