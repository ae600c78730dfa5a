// The slash commands that set and show how the model answers. Main thread.
import { modelText, placeText } from "../banner.js";
import { timingsLine } from "../render.js";
import { safeText } from "../safe-text.js";
import type { ChatState, SlashCommand } from "./state.js";

/** The options that are set, in one paragraph. */
function settingsText({ conversation }: ChatState): string {
  const { settings } = conversation;
  return settings.length === 0
    ? "All options have their default values. /set FLAG VALUE changes one."
    : settings.join(", ");
}

function set(state: ChatState, rest: string): void {
  const [, name = "", value = ""] = /^([^\s=]*)(?:=|\s+|$)(.*)$/s.exec(rest) ?? [];
  if (name !== "") state.conversation.set(name, value.trim());
  state.say(`${settingsText(state)}\n`);
}

function think(state: ChatState, rest: string): void {
  const { conversation, say } = state;
  const levels = ["low", "medium", "high"];
  // What an earlier command set would contradict what this one sets.
  const change = (...changes: readonly (readonly [string, string])[]): void => {
    conversation.setAll([
      ["reasoning", "default"],
      ["reasoning-budget", "default"],
      ["reasoning-effort", "default"],
      ...changes,
    ]);
  };
  if (rest === "on" || rest === "off") change(["reasoning", rest]);
  else if (rest === "auto" || rest === "default") change();
  else if (levels.includes(rest)) change(["reasoning-effort", rest]);
  else if (/^\d+$/.test(rest)) change(["reasoning-budget", rest]);
  else {
    say("/think on, off or auto; a number: at most so many tokens; low, medium or high.\n");
    return;
  }
  say(`${settingsText(state)}\n`);
}

function statsText({ conversation, info }: ChatState): string {
  const { lastResult } = conversation;
  const timings = lastResult === undefined ? "" : `${timingsLine(lastResult, info())}\n`;
  return (
    `${timings}The conversation uses ${conversation.usedTokens} of ` +
    `${info().sequenceContextSize} tokens; reasoning is not kept.\n`
  );
}

const modelLine = ({ info }: ChatState): string => `${modelText(info())}, on ${placeText(info())}`;

/** What /show shows, by its name. */
const VIEWS: Readonly<Record<string, (state: ChatState) => string>> = {
  reasoning: ({ conversation: { lastResult } }) => {
    const text = lastResult?.reasoning ?? "";
    return text === "" ? "There is no reasoning to show." : safeText(text);
  },
  system: ({ conversation: { system } }) =>
    system === undefined ? "There is no system prompt." : safeText(system),
  messages: ({ conversation: { messages } }) =>
    messages.length === 0
      ? "There are no messages."
      : messages.map(({ role, content }) => `${role}: ${safeText(content)}`).join("\n"),
  settings: settingsText,
  model: modelLine,
  stats: (state) => statsText(state).trimEnd(),
};

function show(state: ChatState, rest: string): void {
  const view = Object.hasOwn(VIEWS, rest) ? VIEWS[rest] : undefined;
  if (view !== undefined) state.say(`${view(state)}\n`);
  else if (rest === "")
    state.say(
      ["model", "system", "settings", "stats"]
        .map((name) => `${name}: ${VIEWS[name]?.(state) ?? ""}\n`)
        .join(""),
    );
  else state.say(`/show takes one of ${Object.keys(VIEWS).join(", ")}.\n`);
}

async function model(state: ChatState, rest: string): Promise<void> {
  if (rest !== "") await state.switchModel(rest);
  state.say(`${modelLine(state)}\n`);
}

/** Commands about settings. */
export const settingCommands: readonly SlashCommand[] = [
  {
    names: ["set"],
    takes: "FLAG VALUE",
    doc: "set a flag for the next replies, e.g. /set temp 0.8; the value default resets it",
    completes: "flag",
    act: set,
  },
  {
    names: ["think"],
    takes: "on|off|auto|N",
    doc: "always think, never, as the model likes, or at most N tokens (also low, medium, high)",
    completes: ["on", "off", "auto", "low", "medium", "high"],
    act: think,
  },
  {
    names: ["show"],
    takes: "[NAME]",
    doc: `show ${Object.keys(VIEWS).join(", ")}`,
    completes: Object.keys(VIEWS),
    act: show,
  },
  {
    names: ["stats"],
    takes: "",
    doc: "timings of the last reply, and how full the context is",
    act: (state) => {
      state.say(statsText(state));
    },
  },
  {
    names: ["model"],
    takes: "[MODEL]",
    doc: "show the model; with a file or hf:owner/name:QUANT: continue with that one",
    completes: "file",
    act: model,
  },
];
