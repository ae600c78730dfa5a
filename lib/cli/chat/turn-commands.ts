// The slash commands that change what was said: answer again, remove, edit, attach. Main thread.
import { homedir } from "node:os";
import { editText } from "./editor.js";
import type { ChatState, SlashCommand } from "./state.js";

/** Expands "~" like a shell. */
export const place = (path: string): string => path.replace(/^~(?=[/\\]|$)/, homedir());

/** Shortens a text to one line of limited length. */
const brief = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);

async function retry({ conversation, say, show }: ChatState): Promise<void> {
  const generation = conversation.regenerate();
  if (generation === undefined) say("There is no message to answer.\n");
  else await show(generation);
}

function undo({ conversation, say }: ChatState): void {
  const text = conversation.undo();
  say(text === undefined ? "There is no message to remove.\n" : `Removed: ${brief(text)}\n`);
}

async function edit(state: ChatState, rest: string): Promise<void> {
  const { conversation, isTerminal, away, say, send } = state;
  if (!isTerminal) {
    say("/edit needs a terminal.\n");
    return;
  }
  const before = rest === "" ? conversation.lastText : undefined;
  const text = away(() => editText(before ?? rest));
  if (text.trim() === "" || text === before) {
    say("Nothing was changed, and nothing is sent.\n");
    return;
  }
  if (before !== undefined) conversation.undo();
  say(`> ${text.replaceAll("\n", "\n… ")}\n`);
  await send(text);
}

function attach({ attachments, say }: ChatState, rest: string): void {
  if (rest === "") {
    const { count } = attachments;
    attachments.clear();
    say(count === 0 ? "Which file? /file PATH\n" : "The attached files are removed.\n");
    return;
  }
  const length = attachments.add(place(rest));
  say(
    `${JSON.stringify(rest)}, ${length} character${length === 1 ? "" : "s"}, goes with the next message.\n`,
  );
}

/** Commands about messages. */
export const turnCommands: readonly SlashCommand[] = [
  {
    names: ["retry", "regen", "regenerate"],
    takes: "",
    doc: "answer the last message again; a given --seed is increased by one",
    act: retry,
  },
  { names: ["undo"], takes: "", doc: "remove the last message and its answer", act: undo },
  {
    names: ["edit"],
    takes: "[TEXT]",
    doc: "edit the last message in $EDITOR and send it in its place; with TEXT: a new message",
    act: edit,
  },
  {
    names: ["file"],
    takes: "PATH",
    doc: "add a text file to the next message; without PATH: remove the added files",
    completes: "file",
    act: attach,
  },
  {
    names: ["reset", "clear"],
    takes: "",
    doc: "forget the conversation; the system prompt stays",
    act: ({ conversation, attachments, say }) => {
      conversation.reset();
      attachments.clear();
      say("The conversation starts again.\n");
    },
  },
  {
    names: ["system"],
    takes: "[TEXT]",
    doc: "set the system prompt and start again; without TEXT: no system prompt",
    act: ({ conversation, say }, rest) => {
      conversation.setSystem(rest);
      say(
        rest === ""
          ? "No system prompt. The conversation starts again.\n"
          : "The system prompt is set. The conversation starts again.\n",
      );
    },
  },
];
