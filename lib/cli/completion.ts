// What a shell's Tab makes of a command line of the program, from the flag tables. Main thread.
import type { Command } from "commander";
import type { CommandTable } from "./command-file.js";
import { COMMAND_FLAGS, hasFlagTable } from "./command-flags.js";
import type { Flag } from "./flags.js";
import { loadCommand } from "./load-command.js";
import { SHELLS } from "./shells.js";

/** Candidates for the word at the cursor. */
export interface Candidates {
  readonly words: readonly { readonly text: string; readonly description: string }[];
  /** The shell completes paths. */
  readonly hasFiles: boolean;
}

const NONE: Candidates = { words: [], hasFiles: false };
const FILES: Candidates = { words: [], hasFiles: true };

/** Values that are paths, by the name of the value or argument in help. */
const PATHS =
  /\b(?:FILE|DIR|PATH|FOLDER|OUT|SHARD|MODEL|SOURCE|INPUT|OUTPUT|PREFIX|FIRST|TEXTFILE)\b/i;

/** A flag as completion sees it. */
interface Option {
  readonly names: readonly string[];
  /** undefined: a switch. */
  readonly value: string | undefined;
  readonly words: readonly string[];
  readonly doc: string;
}

const fromTable = ({ names, value, parse, optionalValues, doc }: Flag): Option => ({
  names,
  value,
  words: parse.words ?? optionalValues ?? [],
  doc,
});

/** The flags of a command, and whether its arguments are paths. */
interface Shape {
  readonly options: readonly Option[];
  readonly takesFiles: boolean;
}

/** Commands with a table of flags whose arguments are paths. */
const FILE_COMMANDS = ["batch"];

/** What a command takes: from its table of flags, or else from commander. */
async function shapeOf(all: CommandTable, name: string): Promise<Shape> {
  // A table is known without the command's file, which loads the library.
  if (hasFlagTable(name)) {
    const table = COMMAND_FLAGS[name].filter(({ hidden }) => hidden !== true);
    return { options: table.map(fromTable), takesFiles: FILE_COMMANDS.includes(name) };
  }
  const { Command } = await import("commander");
  const command = await loadCommand(new Command(), all, name);
  return { options: fromCommander(command), takesFiles: takesFiles(command) };
}

const takesFiles = (command: Command): boolean =>
  command.registeredArguments.some((argument) => PATHS.test(argument.name()));

const fromCommander = (command: Command): Option[] =>
  command.options.map(({ short, long, flags, description }) => ({
    names: [short, long].filter((name) => name !== undefined),
    value: /<([^>]+)>/.exec(flags)?.[1],
    words: [],
    doc: description,
  }));

const HELP_OPTION: Option = {
  names: ["-h", "--help"],
  value: undefined,
  words: [],
  doc: "show the flags of the command",
};

const wordsFrom = (texts: readonly string[], typed: string): Candidates => ({
  words: texts.filter((text) => text.startsWith(typed)).map((text) => ({ text, description: "" })),
  hasFiles: false,
});

/** The command that the words before the cursor name, and how many of them do. */
function commandIn(all: CommandTable, words: readonly string[]): { name: string; length: number } {
  const [first = "", second = ""] = words;
  if (Object.hasOwn(all, `${first} ${second}`)) return { name: `${first} ${second}`, length: 2 };
  return Object.hasOwn(all, first) ? { name: first, length: 1 } : { name: "run", length: 0 };
}

function valuesOf(option: Option, typed: string): Candidates {
  if (option.words.length > 0) return wordsFrom(option.words, typed);
  return PATHS.test(option.value ?? "") ? FILES : NONE;
}

/** The value after the "=" of a flag; the scripts put what stands before it back. */
function assigned(options: readonly Option[], typed: string): Candidates | undefined {
  const [, name = "", begun = ""] = /^(-[^=]+)=(.*)$/s.exec(typed) ?? [];
  const option = options.find(({ names, value }) => value !== undefined && names.includes(name));
  return option === undefined ? undefined : valuesOf(option, begun);
}

function flagsLike(options: readonly Option[], typed: string): Candidates {
  const words = [...options, HELP_OPTION].flatMap(({ names, doc }) => {
    const like = names.filter((name) => name.startsWith(typed));
    // One spelling each: the long one, unless a short one was begun.
    const text = like.findLast((name) => name.startsWith("--")) ?? like[0];
    return text === undefined ? [] : [{ text, description: doc }];
  });
  return { words, hasFiles: false };
}

/** The names of commands that come next: those of one word, or the second words of a first one. */
function commandsLike(all: CommandTable, before: readonly string[], typed: string): Candidates {
  const lead = before.map((word) => `${word} `).join("");
  const found = Object.entries(all)
    .filter(([name]) => name.startsWith(lead))
    .map(([name, { summary }]) => ({ text: name.slice(lead.length), description: summary }))
    .filter(({ text }) => !text.includes(" "));
  const help = { text: "help", description: "show the help of a command" };
  const words = before.length === 0 ? [...found, help] : found;
  return { words: words.filter(({ text }) => text.startsWith(typed)), hasFiles: false };
}

/**
 * Returns what may stand at the cursor.
 *
 * @param all - The program's commands.
 * @param words - The words after the program's name; the last one is at the cursor, and may be
 * empty.
 */
export async function candidatesFor(
  all: CommandTable,
  words: readonly string[],
): Promise<Candidates> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  if (before[0] === "help") return commandsLike(all, [], typed);
  const isFirst = before.length === 0 && !typed.startsWith("-");
  if (isFirst) return commandsLike(all, [], typed);
  const { name, length } = commandIn(all, before);
  const { options, takesFiles: hasFiles } = await shapeOf(all, name);
  const previous = before.length > length ? before.at(-1) : undefined;
  const waiting = options.find(
    ({ names, value }) => value !== undefined && names.includes(previous ?? ""),
  );
  if (waiting !== undefined) return valuesOf(waiting, typed);
  if (typed.startsWith("-")) return assigned(options, typed) ?? flagsLike(options, typed);
  if (name === "complete") return before.length === length ? wordsFrom(SHELLS, typed) : NONE;
  const more = before.length === length ? commandsLike(all, before, typed) : NONE;
  return { words: more.words, hasFiles };
}
