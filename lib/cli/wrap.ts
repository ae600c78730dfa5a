// Wraps help texts to the width of the terminal; pure.

/** A line that users copy into a shell: it is never broken. */
const COMMAND_LINE = /^\s*(?:r1-native|npx|git|ssh)\s+(?!<)\S+ |^\s*llama-bench -|^\s*-p "/;
/** A command with its description in a second column. */
const DESCRIBED = /\S {2,}\S/;
/** The column where descriptions begin: after two or more spaces. */
const COLUMN = /^(\s*\S.*?\s{2,})\S/;

function wrapLine(line: string, width: number): string {
  if (line.length <= width) return line;
  if (COMMAND_LINE.test(line) && !DESCRIBED.test(line)) return line;
  const column = COLUMN.exec(line)?.[1]?.length ?? 0;
  const lead = /^\s*/.exec(line)?.[0].length ?? 0;
  // Next to a wide column there is too little room for words.
  const indent = column > 0 && width - column >= 20 ? column : lead + (column > 0 ? 4 : 0);
  const lines: string[] = [];
  let current = line.slice(0, lead);
  let isEmpty = true;
  for (const word of line.slice(lead).split(/(?<=\s)(?=\S)/)) {
    if (!isEmpty && (current + word).trimEnd().length > width) {
      lines.push(current.trimEnd());
      current = " ".repeat(indent);
    }
    current += word;
    isEmpty = false;
  }
  return [...lines, current.trimEnd()].join("\n");
}

/** Breaks long lines between words; continuation lines keep their column. */
export function wrapText(text: string, width: number): string {
  return text
    .split("\n")
    .map((line) => wrapLine(line, width))
    .join("\n");
}

/** Below this number of columns, a flag's description is shown below the flag, not next to it. */
const NARROW = 72;
/** The column where descriptions begin. */
const DESCRIPTIONS_AT = 30;

/**
 * Formats one flag, argument or command of a help text: its description next to it, or below a long
 * name.
 *
 * @param width - Columns of the terminal.
 */
export function helpItem(term: string, description: string, width: number): string {
  if (description === "") return `  ${term}`;
  const at = width < NARROW ? 6 : DESCRIPTIONS_AT;
  const indent = " ".repeat(at);
  const text = wrapText(`${indent}${description}`, width);
  const fits = width >= NARROW && term.length + 4 <= at;
  const head = wrapLine(`  ${term}`, width - 2).replaceAll("\n", "\n  ");
  return fits ? `  ${term}`.padEnd(at) + text.slice(at) : `${head}\n${text}`;
}

/** Wraps a text for a terminal; returns it unchanged for anything else. */
export function forTerminal(
  text: string,
  stream: { readonly isTTY?: boolean; readonly columns?: number },
): string {
  const { isTTY = false, columns = 0 } = stream;
  return isTTY && columns > 0 ? wrapText(text, columns) : text;
}

/** Cuts the lines of a table to a terminal's width; returns them unchanged for anything else. */
export function cutForTerminal(
  text: string,
  stream: { readonly isTTY?: boolean; readonly columns?: number },
): string {
  const { isTTY = false, columns = 0 } = stream;
  if (!isTTY || columns === 0) return text;
  return text
    .split("\n")
    .map((line) => (line.length <= columns ? line : `${line.slice(0, columns - 1)}…`))
    .join("\n");
}
