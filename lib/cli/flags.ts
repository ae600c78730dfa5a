// Defines a command-line flag, and turns a table of flags into commander options, help text and
// option objects. Main thread.
import type { Command, Help } from "commander";
import { R1Error } from "../base/errors.js";
import { helpItem } from "./wrap.js";

/**
 * The option object that a flag writes to: that of `loadModel`, that of a generation, or what only
 * the command itself needs.
 */
export type Target = "load" | "generate" | "run";

/**
 * Computes an option's value from all values given, in order; a switch gets none. `before` is the
 * value that earlier flags of the table gave the same option. A parser of fixed words names them.
 */
export type FlagParser = ((values: readonly string[], name: string, before: unknown) => unknown) & {
  readonly words?: readonly string[];
};

/** One flag: all its facts in one row. */
export interface Flag {
  /**
   * All spellings, short and long; help and errors use the last long one. llama.cpp's long names
   * with a single dash (`-ngl`) count as short.
   */
  readonly names: readonly string[];
  /** Name of the value in help; a flag without one is a switch. */
  readonly value?: string;
  /** The value is optional, and the next word is only read as a value if it is one of these. */
  readonly optionalValues?: readonly string[];
  readonly target: Target;
  /** Name of the library option that the flag sets. Several flags may set one option. */
  readonly option: string;
  /** The field to set, if the option is a group such as `dry`. */
  readonly field?: string;
  readonly parse: FlagParser;
  readonly doc: string;
  /** Heading in help. */
  readonly group: string;
  /** Accepted so that llama.cpp's command lines work, but without effect here. */
  readonly hidden?: boolean;
}

/** A flag in a table whose rows share their target and group. */
export type Row = Omit<Flag, "target" | "group">;

/** Turns the rows of a table into flags. */
export const inGroup = (target: Target, group: string, rows: readonly Row[]): Flag[] =>
  rows.map((row) => ({ ...row, target, group }));

/** Options by target, as plain objects that the library then validates. */
export type OptionBag = Record<Target, Record<string, unknown>>;

/** A flag and the values that a user gave it; a switch has none. */
export interface GivenFlag {
  readonly flag: Flag;
  readonly values: readonly string[];
  /** Where it stands, if not on the command line, in words. */
  readonly origin?: string;
}

/** Returns what the configuration sets beside the flags of a command line. */
export type Configured = (given: readonly Flag[]) => readonly GivenFlag[];

const configured = new WeakMap<Command, Configured>();
const held = new WeakMap<Command, readonly GivenFlag[]>();
const tables = new WeakMap<Command, readonly Flag[]>();
const ownWords = new WeakMap<Command, Readonly<Record<string, string>>>();

/** Returns the name of a flag for help and error messages. */
export function nameOf(flag: Flag): string {
  return flag.names.findLast((name) => name.startsWith("--")) ?? flag.names[0] ?? "";
}

/** Returns commander's key for a flag's values. */
function keyOf(flag: Flag): string {
  return `flag:${nameOf(flag)}`;
}

/** Throws a usage error about a flag. */
export function refuseFlag(name: string, expected: string, value: string | undefined): never {
  const received = value === undefined ? "nothing" : JSON.stringify(value);
  throw new R1Error(
    "INVALID_ARGUMENT",
    `Expected ${expected} after ${name} but received ${received}.`,
    { details: { option: name } },
  );
}

/** Formats a flag for help. */
function term(flag: Flag): string {
  const value =
    flag.value === undefined
      ? ""
      : flag.optionalValues === undefined
        ? ` <${flag.value}>`
        : ` [${flag.value}]`;
  return flag.names.join(", ") + value;
}

/** Formats one item of a help text, in the form that commander requires. */
export const formatItem = (
  text: string,
  _width: number,
  description: string,
  { helpWidth }: Help,
): string => helpItem(text, description, helpWidth ?? 80);

/**
 * Adds a table's flags to a command, so that help, argument parsing and {@link collect} know them.
 */
export function addFlags(command: Command, flags: readonly Flag[]): void {
  tables.set(command, flags);
  const terms = new Map<string, string>();
  for (const flag of flags) {
    const option = command.createOption(
      `${nameOf(flag)}${flag.value === undefined ? "" : " <value>"}`,
      flag.doc,
    );
    option.negate = false;
    option.attributeName = () => keyOf(flag);
    if (flag.value !== undefined)
      option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    option.helpGroup(flag.group);
    option.hideHelp(flag.hidden ?? false);
    command.addOption(option);
    terms.set(nameOf(flag), term(flag));
  }
  command.configureHelp({
    optionTerm: (option) => terms.get(option.long ?? "") ?? option.flags,
    formatItem,
  });
}

/** Returns the flags of a command, or none. */
export function flagsOf(command: Command): readonly Flag[] {
  return tables.get(command) ?? [];
}

/** Sets where {@link collect} gets what is not on the command line. */
export function setConfigured(command: Command, source: Configured): void {
  configured.set(command, source);
}

/** Returns what the configuration set beside the command line, once {@link collect} has run. */
export const heldOf = (command: Command): readonly GivenFlag[] => held.get(command) ?? [];

/**
 * Turns the flags of a command line, and what the configuration sets beside them, into option
 * objects. Sets only options that were given.
 */
export function collect(command: Command): OptionBag {
  const bag: OptionBag = { load: {}, generate: {}, run: {} };
  const found = command.opts<Record<string, string[] | boolean | undefined>>();
  const given = flagsOf(command).flatMap((flag): GivenFlag[] => {
    const values = found[keyOf(flag)];
    return values === undefined ? [] : [{ flag, values: Array.isArray(values) ? values : [] }];
  });
  const beside = configured.get(command)?.(given.map(({ flag }) => flag)) ?? [];
  held.set(command, beside);
  const all = new Map([...beside, ...given].map(({ flag, values }) => [flag, values]));
  for (const flag of flagsOf(command)) {
    const values = all.get(flag);
    if (values !== undefined) setOption(bag[flag.target], flag, values);
  }
  return bag;
}

/** Sets a flag's option from its values. @throws {R1Error} `INVALID_ARGUMENT` */
export function setOption(
  options: Record<string, unknown>,
  flag: Flag,
  values: readonly string[],
): void {
  const before = options[flag.option];
  const value = flag.parse(values, nameOf(flag), before);
  options[flag.option] =
    flag.field === undefined ? value : { ...(before as object | undefined), [flag.field]: value };
}

/** Sets what a command's errors call library options whose flags or arguments have other names. */
export function setWords(command: Command, words: Readonly<Record<string, string>>): void {
  ownWords.set(command, words);
}

/** Returns what a command's errors call the library's options. */
function wordsOf(command: Command): ReadonlyMap<string, string> {
  const names = new Map(Object.entries(ownWords.get(command) ?? {}));
  const add = (option: string, name: string): void => {
    if (!names.has(option)) names.set(option, name);
  };
  for (const argument of command.registeredArguments) {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    add(argument.name(), argument.required ? `<${name}>` : `[${name}]`);
  }
  // Commands on files have no table; there a flag has the same name as its option.
  const table = flagsOf(command).filter(({ hidden }) => hidden !== true);
  if (table.length === 0)
    for (const option of command.options) add(option.attributeName(), option.long ?? option.flags);
  // Flags with a value come first: if several flags set an option, a message is about those.
  for (const flag of [...table.filter(({ value }) => value !== undefined), ...table])
    add(flag.field === undefined ? flag.option : `${flag.option}.${flag.field}`, nameOf(flag));
  return names;
}

/**
 * Replaces library options in backticks in an error message by the names of their flags. Removes a
 * bracketed alternative that the program does not have.
 */
export function inFlagWords(message: string, command: Command | undefined): string {
  if (command === undefined) return message;
  const words = wordsOf(command);
  // The library writes `contextSize`, `chat.topP`, `complete.dry.base`, `stop[2]`,
  // `tensorTypes[0].type` or `complete()`.
  const wordOf = (path: string): string | undefined => {
    const [head = "", ...rest] = path.split(".");
    return words.get(path) ?? words.get(head) ?? words.get(rest.join("."));
  };
  return message
    .replace(/ \(or [^()`]*`([A-Za-z.]+)[^`]*`\)/g, (whole, path: string) =>
      wordOf(path) === undefined ? "" : whole,
    )
    .replace(/`([A-Za-z.]+)(\/[^`]*)`/g, (whole, path: string, place: string) => {
      const name = wordOf(path);
      return name === undefined ? whole : `${name} (${place})`;
    })
    .replace(/`([A-Za-z.]+): "?([\w-]+)"?`/g, (whole, path: string, value: string) => {
      const name = wordOf(path);
      return name?.startsWith("-") === true ? `${name} ${value}` : whole;
    })
    .replace(
      /`([A-Za-z.]+(?:\(\))?)(?:\[[^\]]*\][A-Za-z.]*)?`/g,
      (whole, path: string) => wordOf(path) ?? whole,
    );
}
