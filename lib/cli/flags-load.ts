// The flags that load a model, made from the library's table of load options; and the flags that
// name the model in other ways.
import { LOAD_OPTION_GROUPS } from "../load-flags.js";
import type { LoadFlag, LoadRow } from "../load-flags.js";
import { inGroup, type Flag, type Row } from "./flags.js";
import {
  choice,
  constant,
  integer,
  list,
  metadataOverrides,
  number,
  numbers,
  tensorOverrides,
  text,
  word,
} from "./flag-values.js";

/** Converts llama.cpp's name of a repository to a reference. */
export const hubName = (name: string): string => (name.startsWith("hf:") ? name : `hf:${name}`);

/** Other ways to name the model. */
const hub: Row[] = [
  {
    names: ["-hf", "-hfr", "--hf-repo"],
    value: "OWNER/NAME[:QUANT]",
    option: "hfRepo",
    parse: text,
    doc: "a model on the Hub; the same as --model hf:OWNER/NAME:QUANT",
  },
  {
    names: ["-hff", "--hf-file"],
    value: "FILE",
    option: "hfFile",
    parse: text,
    doc: "with --hf-repo: the file in that repository",
  },
  {
    names: ["--proxy"],
    value: "ADDRESS",
    option: "proxy",
    parse: text,
    doc: "HTTP proxy for the download of a model (default: HTTPS_PROXY)",
  },
];

/** `path` is not an option of `loadModel` but its first argument. */
const path: Row = {
  names: ["-m", "--model"],
  value: "FILE",
  option: "path",
  parse: text,
  doc:
    "GGUF file (the first part of a split model) or hf:owner/name:QUANT " +
    "(default: the embedded tiny model)",
};

/** llama.cpp's -1 means auto, anything below it means all. */
const layers: Flag["parse"] = (values, name, before) => {
  const value = values.at(-1) ?? "";
  if (value === "auto" || value === "all") return value;
  const count = integer(values, name, before) as number;
  return count < 0 ? (count === -1 ? "auto" : "all") : count;
};

/** 0 and below: the default, like in llama.cpp. */
const threads: Flag["parse"] = (values, name, before) => {
  const count = integer(values, name, before) as number;
  return count <= 0 ? undefined : count;
};

/** The parsers that rows of the table name. */
const READERS: Readonly<Record<string, Flag["parse"]>> = {
  hubName: (values) => hubName(values.at(-1) ?? ""),
  integer,
  layers,
  list,
  metadataOverrides,
  number,
  numbers,
  reciprocal: (values, name) => 1 / (number(values, name, undefined) as number),
  tensorOverrides,
  text,
  threads,
};

/** Returns the parser of a flag's value. */
function parseOf({ kind }: LoadRow, flag: LoadFlag): Flag["parse"] {
  if (flag.value === undefined) return constant(flag.sets);
  if (flag.words !== undefined) return word(flag.words);
  const named = flag.reader === undefined ? undefined : READERS[flag.reader];
  if (flag.reader !== undefined && named === undefined)
    throw new TypeError(`there is no reader ${flag.reader}`);
  if (named !== undefined) return named;
  if (kind.type === "choice") return choice(kind.values);
  return kind.type === "whole" ? integer : text;
}

/** Returns the help of a flag: what it does, and the default if that is a number or a word. */
function helpOf(row: LoadRow, flag: LoadFlag): string {
  const fixed = typeof row.default === "object" ? undefined : row.default;
  const shown = flag.shownDefault ?? (flag.value === undefined ? undefined : fixed);
  return shown === undefined ? flag.doc : `${flag.doc} (default: ${String(shown)})`;
}

const rowsOf = (rows: Readonly<Record<string, LoadRow>>): Row[] =>
  Object.entries(rows).flatMap(([option, row]) =>
    (row.flags ?? []).map((flag) => ({
      names: flag.names,
      option,
      doc: helpOf(row, flag),
      parse: parseOf(row, flag),
      ...(flag.value === undefined ? {} : { value: flag.value }),
      ...(flag.field === undefined ? {} : { field: flag.field }),
      ...(flag.wordIfLeftOut === undefined
        ? {}
        : { optionalValues: [flag.wordIfLeftOut, ...Object.keys(flag.words ?? {})] }),
    })),
  );

/** Every flag of loading. */
export const loadFlags: readonly Flag[] = Object.freeze([
  ...inGroup("run", "Model:", hub),
  ...inGroup("load", "Model:", [path]),
  ...LOAD_OPTION_GROUPS.flatMap(({ heading, rows }) => inGroup("load", heading, rowsOf(rows))),
]);
