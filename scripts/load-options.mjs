// Writes the list of load options in docs/reference/api.md from the library's own table
// (lib/weights/load-table/): `npm run docs` after `npm run build:ts`. A test checks that it is
// current.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const BEGIN = "<!-- load options: written by `npm run docs` -->";
const END = "<!-- end of load options -->";

const code = (text) => `\`${text}\``;

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

/** Breaks a list item at 100 columns; its further lines are indented. */
function wrapped(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === "" || line.length + 1 + word.length <= 100)
      lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join("\n");
}

function item([name, row]) {
  const flags = flagsText(row.flags ?? []);
  const facts = [
    `Values: ${valuesText(row.kind)}`,
    `default: ${defaultText(row)}`,
    ...(flags === "" ? [] : [`program: ${flags}`]),
  ];
  return wrapped(`- ${code(name)}: ${row.doc}. ${facts.join("; ")}.`);
}

/** The list of load options in Markdown, without its markers. */
export function loadOptionsList(groups) {
  return groups.flatMap(({ rows }) => Object.entries(rows).map(item)).join("\n");
}

/** Returns a document with a new list between its markers. */
export function withLoadOptions(document, groups) {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined)
    throw new Error("docs/reference/api.md lacks the markers of the load options.");
  return `${before}${BEGIN}\n\n${loadOptionsList(groups)}\n\n${END}${after}`;
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) {
  const root = join(dirname(self), "..");
  const path = join(root, "docs", "reference", "api.md");
  const { LOAD_OPTION_GROUPS } = await import(join(root, "dist", "load-flags.js"));
  writeFileSync(path, withLoadOptions(readFileSync(path, "utf8"), LOAD_OPTION_GROUPS));
}
