// Writes the table of load options in docs/api.md from the library's own table
// (lib/weights/load-table/): `npm run docs` after `npm run build:ts`. A test checks that it is
// current.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const BEGIN = "<!-- load options: written by `npm run docs` -->";
const END = "<!-- end of load options -->";

const code = (text) => `\`${text}\``;
const cell = (text) => text.replaceAll("|", "\\|");

function valuesText({ type, min, max, values }) {
  if (type === "whole") return `${min} .. ${max}`;
  if (type === "switch") return "true, false";
  return type === "choice" ? values.map((value) => code(JSON.stringify(value))).join(", ") : values;
}

function defaultText(row) {
  if (row.defaultText !== undefined) return row.defaultText;
  if (row.default === undefined) return "none";
  return typeof row.default === "string" ? code(JSON.stringify(row.default)) : String(row.default);
}

/** The last long spelling of each flag. */
const flagsText = (flags) =>
  flags.map(({ names }) => code(names.findLast((name) => name.startsWith("--")))).join(", ");

/** The table of load options in Markdown, without its markers. */
export function loadOptionsTable(groups) {
  const rows = groups.flatMap(({ rows }) =>
    Object.entries(rows).map(([name, row]) =>
      [code(name), row.doc, valuesText(row.kind), defaultText(row), flagsText(row.flags ?? [])].map(
        cell,
      ),
    ),
  );
  return [
    "| option | meaning | values | default | flag of the program |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`.replaceAll("|  |", "| |")),
  ].join("\n");
}

/** Returns a document with a new table between its markers. */
export function withLoadOptions(document, groups) {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error("docs/api.md lacks the markers of the load options.");
  return `${before}${BEGIN}\n\n${loadOptionsTable(groups)}\n\n${END}${after}`;
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) {
  const root = join(dirname(self), "..");
  const path = join(root, "docs", "api.md");
  const { LOAD_OPTION_GROUPS } = await import(join(root, "dist", "index.js"));
  writeFileSync(path, withLoadOptions(readFileSync(path, "utf8"), LOAD_OPTION_GROUPS));
}
