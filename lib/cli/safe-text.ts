// Makes the model's text safe for a terminal: control characters become visible signs; pure.

/** Unicode's pictures of the control characters begin here. */
const PICTURES = 0x2400;
const PICTURE_OF_DELETE = "\u2421";

/**
 * Replaces every control character but line break and tab, so that a text can neither move the
 * cursor nor set the clipboard or a window's title. Carriage returns are dropped.
 */
export function safeText(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => {
    if (character === "\r") return "";
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(PICTURES + code);
    return code === 0x7f ? PICTURE_OF_DELETE : "\ufffd";
  });
}

/**
 * A value as JSON text that is safe for a terminal too: JSON itself allows DEL and the control
 * characters above 0x7f as they are.
 */
export const safeJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
