// Wraps help texts to the width of the terminal; pure.

/** A line that someone copies into a shell: it stays whole. */
const COMMAND_LINE = /^\s*(?:r1-native|npx|git|ssh)\s+(?!<)\S+ |^\s*-p "/;
/** Where a column of descriptions begins: after two spaces or more. */
const COLUMN = /^(\s*\S.*?\s{2,})\S/;

function wrapLine(line: string, width: number): string {
  if (line.length <= width || COMMAND_LINE.test(line)) return line;
  const column = COLUMN.exec(line)?.[1]?.length ?? 0;
  const lead = /^\s*/.exec(line)?.[0].length ?? 0;
  // Beside a wide column too little room is left for words.
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

/** Breaks long lines between words; what follows keeps the place of its column. */
export function wrapText(text: string, width: number): string {
  return text
    .split("\n")
    .map((line) => wrapLine(line, width))
    .join("\n");
}
