// The flags of `run` and `chat` themselves: the source of the prompt and how the reply is shown.
// Data only.
import { inGroup, type Flag, type Row } from "./flags.js";
import { constant, fileText, integer, text, word } from "./flag-values.js";

const prompt: Row[] = [
  {
    names: ["-p", "--prompt"],
    value: "TEXT",
    option: "prompt",
    parse: text,
    doc: "the prompt; it can also be given without a flag, in quotes, or in a file or a pipe",
  },
  {
    names: ["-f", "--file"],
    value: "FILE",
    option: "file",
    parse: text,
    doc: "read the prompt from a file",
  },
  {
    names: ["-e", "--escape"],
    option: "escape",
    parse: constant(true),
    doc: "also replace \\n \\r \\t \\' \\\" \\\\ \\xNN in prompts from files and pipes",
  },
  {
    names: ["--no-escape"],
    option: "escape",
    parse: constant(false),
    doc: "replace them nowhere (default: in -p only)",
  },
];

const rawPrompt: Row[] = [
  {
    names: ["-no-cnv", "--no-conversation", "--raw"],
    option: "raw",
    parse: constant(true),
    doc: "raw mode: the prompt contains the template's own tokens, such as <｜User｜>",
  },
  {
    names: ["-cnv", "--conversation"],
    option: "raw",
    parse: constant(false),
    doc: "the prompt is what the user says (default)",
  },
  {
    names: ["--verbose-prompt"],
    option: "verbosePrompt",
    parse: constant(true),
    doc: "show the prompt's tokens on standard error",
  },
  {
    names: ["--display-prompt"],
    option: "displayPrompt",
    parse: constant(true),
    doc: "show the prompt before the reply",
  },
];

const conversation: Row[] = [
  {
    names: ["-sys", "--system-prompt"],
    value: "TEXT",
    option: "system",
    parse: text,
    doc: "the system prompt",
  },
  {
    names: ["-sysf", "--system-prompt-file"],
    value: "FILE",
    option: "system",
    parse: fileText,
    doc: "read the system prompt from a file",
  },
  {
    names: ["--open-think"],
    value: "auto|on|off",
    option: "openThink",
    parse: word({ auto: "auto", on: true, off: false }),
    doc:
      "start the reply inside <think>, so that thinking cannot be skipped " +
      "(default: like the file's template)",
  },
  {
    names: ["--template"],
    value: "r1|file",
    option: "template",
    parse: word({ r1: "r1", file: "file" }),
    doc: "R1's template, or the file's own for a model that is not a release of R1 (default: r1)",
  },
];

const session: Row[] = [
  {
    names: ["--session"],
    value: "FILE",
    option: "session",
    parse: text,
    doc: "continue the conversation in this file, if it exists; it is saved there on exit",
  },
  {
    names: ["--show-reasoning"],
    option: "showReasoning",
    parse: constant(true),
    doc: "keep the reasoning on the screen (default: a terminal shows one line in its place)",
  },
  {
    names: ["--no-history"],
    option: "history",
    parse: constant(false),
    doc: "neither show lines of earlier conversations nor keep those of this one",
  },
];

const output: Row[] = [
  {
    names: ["--hide-reasoning"],
    option: "hideReasoning",
    parse: constant(true),
    doc: "show the answer only",
  },
  {
    names: ["-co", "--color"],
    value: "on|off|auto",
    optionalValues: ["on", "off", "auto"],
    option: "color",
    parse: word({ on: "on", off: "off", auto: "auto" }),
    doc: "dim the reasoning (default: auto: on a terminal, unless NO_COLOR is set)",
  },
  {
    names: ["--show-timings", "--perf"],
    option: "timings",
    parse: constant(true),
    doc: "a line of timings on standard error (default: if it is a terminal)",
  },
  {
    names: ["--no-show-timings", "--no-perf"],
    option: "timings",
    parse: constant(false),
    doc: "no timings",
  },
  {
    names: ["-v", "--log-verbose", "--verbose"],
    option: "verbose",
    parse: constant(true),
    doc: "llama.cpp's log on standard error",
  },
];

const machine: Row[] = [
  {
    names: ["--json"],
    option: "json",
    parse: constant(true),
    doc: "one JSON object with the whole result, at the end",
  },
  {
    names: ["--json-stream"],
    option: "jsonStream",
    parse: constant(true),
    doc: "one JSON object per line for each part, as it arrives",
  },
];

/**
 * Flags of llama.cpp's programs that request what is always the case here, or a feature that this
 * program does not have.
 */
const accepted: Row[] = [
  "--no-display-prompt",
  "--no-context-shift",
  "--single-turn",
  "--simple-io",
  "--jinja",
  "--log-disable",
  "--no-mmproj",
].map((name) => ({
  names: name === "--single-turn" ? ["-st", name] : [name],
  option: `accepted:${name}`,
  parse: constant(true),
  doc: "accepted; has no effect here",
  hidden: true,
}));

const keep: Row = {
  names: ["--keep"],
  value: "N",
  option: "accepted:--keep",
  parse: integer,
  doc: "accepted; the context is never shifted here",
  hidden: true,
};

const devices: Row[] = [
  {
    names: ["--list-devices"],
    option: "listDevices",
    parse: constant(true),
    doc: "list the devices and exit",
  },
];

/** Flags of `run` and `chat` for the first message. */
export const promptFlags: readonly Flag[] = Object.freeze(inGroup("run", "Prompt:", prompt));

/** Flags of `run` only. */
export const rawPromptFlags: readonly Flag[] = Object.freeze(inGroup("run", "Prompt:", rawPrompt));

/** Flags of `run` and `chat`. */
export const conversationFlags: readonly Flag[] = Object.freeze(
  inGroup("run", "Conversation:", conversation),
);

/** Flags of `chat` only. */
export const sessionFlags: readonly Flag[] = Object.freeze(
  inGroup("run", "Conversation:", session),
);

/** Flags of `run` and `chat`. */
export const outputFlags: readonly Flag[] = Object.freeze([
  ...inGroup("run", "Output:", output),
  ...inGroup("run", "Compatibility:", [...accepted, keep]),
]);

/** Flags of `run` only. */
export const machineFlags: readonly Flag[] = Object.freeze([
  ...inGroup("run", "Output:", machine),
  ...inGroup("run", "Devices:", devices),
]);
