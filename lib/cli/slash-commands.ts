// The slash commands of `r1-native chat`: reads a line, carries it out, and says what was done.
// Main thread.
import { homedir } from "node:os";
import { isR1Error } from "../base/errors.js";
import type { Generation, ModelInfo } from "../index.js";
import type { Conversation } from "./conversation.js";
import { timingsLine } from "./render.js";

/** The list that /help shows. */
export const COMMANDS = `/regen          answer the last message anew
/undo           take the last message and its answer back
/reset          forget the conversation
/system TEXT    set the system prompt and begin again; without TEXT: no system prompt
/set FLAG VALUE set a flag of the next replies, e.g. /set temp 0.8; default takes it back
/save FILE      save the conversation, its computed context included
/load FILE      go on with a saved conversation
/stats          timings of the last reply, and how full the context is
/exit           leave; so does Ctrl-D
Ctrl-C          stop the reply that is being written
A line that ends in \\ goes on in the next one; """ begins and ends a text of several lines.
`;

/** What a command has to work with. */
export interface Room {
  readonly conversation: Conversation;
  readonly info: ModelInfo;
  /** Says something to the person. */
  readonly say: (text: string) => void;
  /** Shows a reply. */
  readonly show: (generation: Generation) => Promise<void>;
  /** Says what failed. */
  readonly report: (error: Error) => void;
}

/** "~" as shells have it. */
const place = (path: string): string => path.replace(/^~(?=\/|$)/, homedir());

/** Text on one line, at most so long. */
const brief = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);

type Action = (room: Room, rest: string) => void | Promise<void>;

const withFile =
  (name: string, act: (room: Room, path: string) => Promise<void>): Action =>
  async (room, rest) => {
    if (rest === "") room.say(`Which file? /${name} FILE\n`);
    else await act(room, place(rest));
  };

const set: Action = ({ conversation, say }, rest) => {
  const [, name = "", value = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (name !== "") conversation.set(name, value.trim());
  const options = Object.entries(conversation.options).filter(([, each]) => each !== undefined);
  const text = options.map(([key, each]) => `${key} ${JSON.stringify(each)}`).join(", ");
  say(text === "" ? "All options have their defaults. /set FLAG VALUE sets one.\n" : `${text}\n`);
};

const stats: Action = ({ conversation, info, say }) => {
  const { lastResult } = conversation;
  if (lastResult !== undefined) say(`${timingsLine(lastResult, info)}\n`);
  say(
    `The conversation takes ${conversation.usedTokens} of ${info.sequenceContextSize} tokens; ` +
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
  say(text === undefined ? "There is nothing to take back.\n" : `Taken back: ${brief(text)}\n`);
};

const reset: Action = ({ conversation, say }) => {
  conversation.reset();
  say("The conversation begins anew.\n");
};

const system: Action = ({ conversation, say }, rest) => {
  conversation.setSystem(rest);
  say(
    rest === ""
      ? "No system prompt. The conversation begins anew.\n"
      : "The system prompt is set. The conversation begins anew.\n",
  );
};

const help: Action = ({ say }) => say(COMMANDS);

const save = withFile("save", async ({ conversation, say }, path) => {
  await conversation.save(path);
  say(`Saved to ${JSON.stringify(path)}. /load goes on with it, and so does --session.\n`);
});

const load = withFile("load", async ({ conversation, say }, path) => {
  await conversation.load(path);
  say(`Goes on with ${loadedText(conversation)}.\n`);
});

/** How long a restored conversation is. */
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
 * Carries out a line that begins with a slash. What fails is reported, and the conversation goes on
 * as it was.
 *
 * @returns False when the line asks to leave.
 */
export async function obey(line: string, room: Room): Promise<boolean> {
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  if (["exit", "quit", "bye"].includes(name)) return false;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    room.say(
      `There is no command /${name}. /help lists them; begin with a space to send a text that begins with a slash.\n`,
    );
    return true;
  }
  try {
    await action(room, rest.trim());
  } catch (error) {
    if (!isR1Error(error)) throw error;
    room.report(error);
  }
  return true;
}
