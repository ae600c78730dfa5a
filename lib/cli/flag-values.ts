// Parsers of flag values: each turns the texts of a command line into the value of a library
// option, or refuses them.
import { readFileSync } from "node:fs";
import { R1Error } from "../base/errors.js";
import type { Flag } from "./flags.js";
import { refuseFlag } from "./flags.js";

type Parse = Flag["parse"];

/** Returns the last value given: a later flag overrides an earlier one. */
function last(values: readonly string[]): string {
  return values.at(-1) ?? "";
}

/** A text, unchanged. */
export const text: Parse = (values) => last(values);

/** A whole number. */
export const integer: Parse = (values, name) => {
  const value = last(values);
  return /^[+-]?\d+$/.test(value) ? Number(value) : refuseFlag(name, "a whole number", value);
};

/** A whole number of seconds, as milliseconds. */
export const seconds: Parse = (values, name, before) =>
  (integer(values, name, before) as number) * 1000;

/** A number. */
export const number: Parse = (values, name) => {
  const value = last(values);
  return value.trim() !== "" && Number.isFinite(Number(value))
    ? Number(value)
    : refuseFlag(name, "a number", value);
};

/** A switch that sets a fixed value. */
export const constant =
  (value: unknown): Parse =>
  () =>
    value;

/** A word that sets a fixed value; further words may have several spellings. */
export function word(choices: Readonly<Record<string, unknown>>): Parse {
  // JavaScript lists keys that are numbers first; users look for words.
  const keys = Object.keys(choices);
  const words = [
    ...keys.filter((key) => !/^\d/.test(key)),
    ...keys.filter((key) => /^\d/.test(key)),
  ];
  const parse: Parse = (values, name) => {
    const value = last(values);
    return Object.hasOwn(choices, value)
      ? choices[value]
      : refuseFlag(name, `one of ${words.join(", ")}`, value);
  };
  return Object.assign(parse, { words });
}

/** One of some words, as a text: the library checks it. */
export const choice = (words: readonly string[]): Parse =>
  Object.assign((values: readonly string[]) => last(values), { words });

/** A list separated by commas. */
export const list: Parse = (values) => last(values).split(",");

/** A list of numbers separated by commas or slashes. */
export const numbers: Parse = (values, name) =>
  last(values)
    .split(/[,/]+/)
    .map((part) => number([part], name, undefined));

/** All values in the given order, after those of earlier flags. */
export const texts: Parse = (values, _name, before) => [
  ...((before as string[] | undefined) ?? []),
  ...values,
];

/** The text of a file; one trailing line break is dropped, like in llama.cpp. */
export const fileText: Parse = (values) => readText(last(values));

/** Reads a text file named on the command line. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const what =
      code === "ENOENT"
        ? "does not exist"
        : code === "EISDIR"
          ? "is a directory"
          : `cannot be read (${code ?? "unknown"})`;
    const kind =
      code === "ENOENT"
        ? "FILE_NOT_FOUND"
        : code === "EISDIR"
          ? "FILE_IS_DIRECTORY"
          : "FILE_UNREADABLE";
    throw new R1Error(kind, `The file ${path} ${what}. Check its path and your rights to it.`, {
      cause: error,
      details: { path },
    });
  }
}

/** Describes in one line why a text is not valid JSON. */
function jsonFault(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, " ").slice(0, 200);
}

/** Parses a text as JSON. */
export const json: Parse = (values, name) => {
  try {
    return JSON.parse(last(values)) as unknown;
  } catch (error) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      `The value of ${name} is not JSON: ${jsonFault(error)}.`,
      {
        cause: error,
        details: { option: name },
      },
    );
  }
};

/** Parses a file as JSON. */
export const jsonFile: Parse = (values, name) => {
  const path = last(values);
  const content = readText(path);
  try {
    // Some editors write a byte order mark at the start.
    return JSON.parse(content.replace(/^\uFEFF/, "")) as unknown;
  } catch (error) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      `The file ${path} of ${name} is not JSON: ${jsonFault(error)}.`,
      { cause: error, details: { option: name, path } },
    );
  }
};

/** `-ot PATTERN=BUFFER,...`, in order, after the values of earlier flags. */
export const tensorOverrides: Parse = (values, name, before) => {
  const entries = values
    .flatMap((value) => value.split(","))
    .map((entry) => {
      const at = entry.indexOf("=");
      if (at <= 0 || at === entry.length - 1)
        refuseFlag(name, "PATTERN=BUFFER, such as exps=CPU,", entry);
      return { pattern: entry.slice(0, at), buffer: entry.slice(at + 1) };
    });
  return [...((before as { pattern: string; buffer: string }[] | undefined) ?? []), ...entries];
};

/** Splits at commas, except inside double quotes, which are removed. */
function csvRow(row: string): string[] {
  const cells: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (const char of row) {
    if (char === '"') isQuoted = !isQuoted;
    else if (char !== "," || isQuoted) cell += char;
    else {
      cells.push(cell);
      cell = "";
    }
  }
  return [...cells, cell];
}

/** `--override-kv KEY=TYPE:VALUE,...`. */
export const metadataOverrides: Parse = (values, name) => {
  const out: Record<string, { kind: string; value: unknown }> = {};
  for (const entry of values.flatMap(csvRow)) {
    const match = /^([^=]+)=(int|float|bool|str):(.*)$/s.exec(entry);
    if (match === null)
      refuseFlag(name, "KEY=TYPE:VALUE with a type of int, float, bool or str", entry);
    const [, key = "", kind, value = ""] = match;
    if (kind === "str") out[key] = { kind: "string", value };
    else if (kind === "bool")
      out[key] = {
        kind,
        value: word({ true: true, false: false })([value], `${name} ${key}=bool:`, undefined),
      };
    else
      out[key] = {
        kind: kind ?? "",
        value: (kind === "int" ? integer : number)([value], `${name} ${key}=${kind}:`, undefined),
      };
  }
  return out;
};

/** `--logit-bias ID+BIAS` or `ID-BIAS`, any number of times. */
export const logitBias: Parse = (values, name, before) => {
  const out = { ...(before as Record<string, number> | undefined) };
  for (const entry of values) {
    const match = /^(\d+)([+-])(\d*\.?\d+(?:e[+-]?\d+)?|inf)$/i.exec(entry.trim());
    if (match === null)
      refuseFlag(name, "a token id and a bias, such as 15043+1 or 15043-1.5,", entry);
    const [, id = "", sign, size = ""] = match;
    out[id] = (sign === "-" ? -1 : 1) * (/inf/i.test(size) ? Infinity : Number(size));
  }
  return out;
};
