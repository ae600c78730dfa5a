// The slash commands of `r1-native chat`: parses a line, carries it out and reports what was done.
// Main thread.
import { homedir } from "node:os";
import { isR1Error } from "../../base/errors.js";
import type { Generation, ModelInfo } from "../../index.js";
import type { Conversation } from "./conversation.js";
import { timingsLine } from "../render.js";

/** The list that /help shows. */
export const COMMANDS = `/regen          answer the last message again
/undo           remove the last message and its answer
/reset          forget the conversation
/system TEXT    set the system prompt and start again; without TEXT: no system prompt
/set FLAG VALUE set a flag for the next replies, e.g. /set temp 0.8; default resets it
/save FILE      save the conversation with its computed context
/load FILE      continue a saved conversation
/stats          timings of the last reply, and how full the context is
/exit           quit, like Ctrl-D
Ctrl-C          stop the reply that is being written
A line that ends in \\ continues on the next one; """ starts and ends a text of several lines.
`;

/** What a command works with. */
export interface ChatState {
  readonly conversation: Conversation;
  readonly info: ModelInfo;
  /** Shows a message to the user. */
  readonly say: (text: string) => void;
  /** Shows a reply. */
  readonly show: (generation: Generation) => Promise<void>;
  /** Reports a failure. */
  readonly report: (error: Error) => void;
}

/** Expands "~" like a shell. */
const place = (path: string): string => path.replace(/^~(?=\/|$)/, homedir());

/** Shortens a text to one line of limited length. */
const brief = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);

type Action = (state: ChatState, rest: string) => void | Promise<void>;

const withFile =
  (name: string, act: (state: ChatState, path: string) => Promise<void>): Action =>
  async (state, rest) => {
    if (rest === "") state.say(`Which file? /${name} FILE\n`);
    else await act(state, place(rest));
  };

const set: Action = ({ conversation, say }, rest) => {
  const [, name = "", value = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (name !== "") conversation.set(name, value.trim());
  const options = Object.entries(conversation.options).filter(([, each]) => each !== undefined);
  const text = options.map(([key, each]) => `${key} ${JSON.stringify(each)}`).join(", ");
  say(
    text === ""
      ? "All options have their default values. /set FLAG VALUE changes one.\n"
      : `${text}\n`,
  );
};

const stats: Action = ({ conversation, info, say }) => {
  const { lastResult } = conversation;
  if (lastResult !== undefined) say(`${timingsLine(lastResult, info)}\n`);
  say(
    `The conversation uses ${conversation.usedTokens} of ${info.sequenceContextSize} tokens; ` +
      "reasoning is not kept.\n",
  );
};

const regenerate: Action = async ({ conversation, say, show }) => {
  const generation = conversation.regenerate();
  if (generation === undefined) say("There is no message to answer.\n");
  else await show(generation);
};

const undo: Action = ({ conversation, say }) => {
  const text = conversation.undo();
  say(text === undefined ? "There is no message to remove.\n" : `Removed: ${brief(text)}\n`);
};

const reset: Action = ({ conversation, say }) => {
  conversation.reset();
  say("The conversation starts again.\n");
};

const system: Action = ({ conversation, say }, rest) => {
  conversation.setSystem(rest);
  say(
    rest === ""
      ? "No system prompt. The conversation starts again.\n"
      : "The system prompt is set. The conversation starts again.\n",
  );
};

const help: Action = ({ say }) => say(COMMANDS);

const save = withFile("save", async ({ conversation, say }, path) => {
  await conversation.save(path);
  say(`Saved to ${JSON.stringify(path)}. /load and --session continue it.\n`);
});

const load = withFile("load", async ({ conversation, say }, path) => {
  await conversation.load(path);
  say(`Continuing ${loadedText(conversation)}.\n`);
});

/** Describes the length of a restored conversation. */
export function loadedText(conversation: Conversation): string {
  return `a conversation of ${conversation.length} messages, ${conversation.usedTokens} tokens`;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  regen: regenerate,
  regenerate,
  undo,
  reset,
  clear: reset,
  system,
  set,
  save,
  load,
  stats,
  help,
  "?": help,
};

/**
 * Carries out a line that starts with a slash. Reports failures; the conversation continues
 * unchanged then.
 *
 * @returns False if the user asks to leave.
 */
export async function runSlashCommand(line: string, state: ChatState): Promise<boolean> {
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  if (["exit", "quit", "bye"].includes(name)) return false;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    state.say(
      `There is no command /${name}. /help lists the commands. To send a text that starts ` +
        "with a slash, type a space first.\n",
    );
    return true;
  }
  try {
    await action(state, rest.trim());
  } catch (error) {
    if (!isR1Error(error)) throw error;
    state.report(error);
  }
  return true;
}
