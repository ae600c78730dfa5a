// Turns the rows of the trials into a table, and rounds figures for people. Pure functions;
// rows.mjs defines the rows.

/** A figure with as many digits as it is good for. */
export function figure(value) {
  if (value === undefined || Number.isNaN(value)) return "";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)));
}

function verdict(row) {
  if (row.bar === undefined) return "";
  return `${row.bar.text}: ${row.bar.pass ? "reached" : "**missed**"}`;
}

const COLUMNS = [
  ["trial", (row) => row.trial],
  ["model", (row) => row.model],
  ["subject", (row) => row.subject],
  ["metric", (row) => row.metric],
  ["value", (row) => `${figure(row.value)} ${row.unit}`.trim()],
  ["r1-native / it", (row) => row.ratio?.toFixed(3) ?? ""],
  ["bar", verdict],
  ["rounds", (row) => row.rounds?.toString() ?? ""],
  ["note", (row) => row.note ?? ""],
];

/** A Markdown table, its columns aligned so that it can be read as text too. */
export function table(rows) {
  const cells = [
    COLUMNS.map(([title]) => title),
    ...rows.map((row) => COLUMNS.map(([, pick]) => pick(row))),
  ];
  const used = COLUMNS.map((_, column) => cells.slice(1).some((line) => line[column] !== ""));
  const widths = COLUMNS.map((_, column) =>
    Math.max(3, ...cells.map((line) => line[column].length)),
  );
  const line = (parts) => `| ${parts.filter((_, column) => used[column]).join(" | ")} |`;
  const text = cells.map((parts) => line(parts.map((part, column) => part.padEnd(widths[column]))));
  return [text[0], line(widths.map((width) => "-".repeat(width))), ...text.slice(1)].join("\n");
}
