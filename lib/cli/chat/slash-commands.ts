// The slash commands of `r1-native chat`: their list, how a line is read, and what Tab completes.
// Main thread.
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isR1Error } from "../../base/errors.js";
import { nearest } from "../../base/check.js";
import { safeText } from "../safe-text.js";
import { copySequence } from "./copy.js";
import type { Conversation } from "./conversation.js";
import { settingCommands } from "./setting-commands.js";
import type { ChatState, SlashCommand } from "./state.js";
import { place, turnCommands } from "./turn-commands.js";

/** Describes the length of a restored conversation. */
export function loadedText(conversation: Conversation): string {
  return `a conversation of ${conversation.length} messages, ${conversation.usedTokens} tokens`;
}

async function save({ conversation, say }: ChatState, rest: string): Promise<void> {
  if (rest === "") {
    say("Which file? /save FILE\n");
    return;
  }
  await conversation.save(place(rest));
  say(`Saved to ${JSON.stringify(place(rest))}. /load and --session continue it.\n`);
}

async function load({ conversation, say }: ChatState, rest: string): Promise<void> {
  if (rest === "") {
    say("Which file? /load FILE\n");
    return;
  }
  await conversation.load(place(rest));
  say(`Continuing ${loadedText(conversation)}.\n`);
}

function copy({ conversation, isTerminal, say }: ChatState): void {
  const text = conversation.lastResult?.answer ?? "";
  const sequence = copySequence(text, process.env);
  if (!isTerminal) say("/copy needs a terminal.\n");
  else if (text === "") say("There is no answer to copy.\n");
  else if (sequence === undefined) say("The answer is too long for the terminal's clipboard.\n");
  else {
    process.stdout.write(sequence);
    say(`${text.length} characters were sent to the terminal's clipboard (OSC 52).\n`);
  }
}

const fileCommands: readonly SlashCommand[] = [
  {
    names: ["save"],
    takes: "FILE",
    doc: "save the conversation with its computed context",
    completes: "file",
    act: save,
  },
  {
    names: ["load"],
    takes: "FILE",
    doc: "continue a saved conversation",
    completes: "file",
    act: load,
  },
  { names: ["copy"], takes: "", doc: "copy the last answer to the clipboard", act: copy },
];

const LEAVING = ["exit", "quit", "bye"];

const COMMANDS: readonly SlashCommand[] = [
  ...turnCommands,
  ...settingCommands,
  ...fileCommands,
  {
    names: ["help", "?"],
    takes: "",
    doc: "show this list",
    act: ({ say }) => {
      say(HELP);
    },
  },
];

const item = (left: string, doc: string): string => `${left.padEnd(22)}${doc}\n`;

/** The list that /help shows. */
export const HELP: string = [
  ...COMMANDS.map(({ names: [name = ""], takes, doc }) => item(`/${name} ${takes}`.trimEnd(), doc)),
  item("/exit", "quit, like Ctrl-D, or Ctrl-C twice"),
  item("Ctrl-C", "stop the reply that is being written"),
  item("Tab", "complete a command; while the model thinks: answer now"),
  'A line that ends in \\ continues on the next one; """ starts and ends a text of several lines.\n',
].join("");

const find = (name: string): SlashCommand | undefined =>
  COMMANDS.find(({ names }) => names.includes(name));

/**
 * Carries out a line that starts with a slash. Reports failures; the conversation continues
 * unchanged then.
 *
 * @returns False if the user asks to leave.
 */
export async function runSlashCommand(line: string, state: ChatState): Promise<boolean> {
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  if (LEAVING.includes(name)) return false;
  const command = find(name);
  if (command === undefined) {
    const near = nearest(name, [...COMMANDS.flatMap(({ names }) => names), ...LEAVING]);
    state.say(
      `There is no command /${name}. ` +
        `${near === undefined ? "/help lists the commands." : `Did you mean /${near}?`} ` +
        "To send a text that starts with a slash, type a space first.\n",
    );
    return true;
  }
  try {
    await command.act(state, rest.trim());
  } catch (error) {
    if (!isR1Error(error)) throw error;
    state.report(error);
  }
  return true;
}

/** Node's editor writes such characters to the terminal as they are. */
const isSafe = (name: string): boolean => safeText(name) === name && !/[\n\t]/.test(name);

/** Files that a path may become; folders end in a slash. */
function filesLike(path: string): string[] {
  const folder = path.endsWith("/") ? path : dirname(path);
  const start = path.endsWith("/") ? "" : basename(path);
  try {
    return readdirSync(place(folder), { withFileTypes: true })
      .filter(({ name }) => name.startsWith(start) && (start !== "" || !name.startsWith(".")))
      .filter(({ name }) => isSafe(name))
      .map((entry) => {
        const name = path.includes("/") ? join(folder, entry.name) : entry.name;
        return entry.isDirectory() ? `${name}/` : name;
      })
      .sort();
  } catch {
    return [];
  }
}

/**
 * What Tab makes of a line, in the form of Node's `completer`: the candidates, and the part of the
 * line that they replace. Texts for the model are not completed.
 *
 * @param flags - The flags that /set takes, without dashes.
 */
export function completeLine(line: string, flags: readonly string[]): [string[], string] {
  const [, name, rest] = /^\/(\S*)(?:\s+(.*))?$/s.exec(line) ?? [];
  if (name === undefined) return [[], line];
  if (rest === undefined && !/\s$/.test(line)) {
    const names = [...COMMANDS.map(({ names: [first = ""] }) => first), "exit"];
    return [names.filter((each) => each.startsWith(name)).map((each) => `/${each} `), line];
  }
  const { completes } = find(name) ?? {};
  const typed = rest ?? "";
  if (completes === undefined) return [[], line];
  if (completes === "file") return [filesLike(typed), typed];
  const words = completes === "flag" ? flags : completes;
  return [words.filter((word) => word.startsWith(typed)).map((word) => `${word} `), typed];
}
