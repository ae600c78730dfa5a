// What the flags of `run` and `chat` come to once they are read: defaults filled in, contradictions refused; main thread.
import { R1Error } from "../base/errors.js";
import type { OptionBag } from "./flags.js";

/** Settings of `run` and `chat` beside the options of the library. */
export interface Settings {
  readonly prompt: string | undefined;
  readonly file: string | undefined;
  readonly isRaw: boolean;
  /** Escape sequences are replaced: in -p (default), everywhere, nowhere. */
  readonly escapes: "prompt" | "all" | "none";
  readonly system: string | undefined;
  readonly openThink: "auto" | boolean;
  readonly showsPromptTokens: boolean;
  readonly showsPrompt: boolean;
  readonly hidesReasoning: boolean;
  readonly color: "on" | "off" | "auto";
  /** undefined: when standard error is a terminal. */
  readonly timings: boolean | undefined;
  readonly isVerbose: boolean;
  readonly output: "text" | "json" | "json-stream";
}

function conflict(first: string, second: string): never {
  throw new R1Error(
    "INVALID_ARGUMENT",
    `${first} and ${second} do not go together: give one of the two.`,
    { details: { option: second } },
  );
}

/** The options of loading: with room for drafts as long as --ngram-draft asks for, which is a flag of the reply alone. */
export function loadOptionsOf({ load, generate }: OptionBag): Readonly<Record<string, unknown>> {
  const { ngram } = (generate["speculation"] ?? {}) as { readonly ngram?: number };
  return ngram === undefined ? load : { ...load, maxDraft: ngram };
}

/** @throws {R1Error} `INVALID_ARGUMENT` when flags contradict each other. */
export function settingsOf({ run }: OptionBag): Settings {
  const given = run as Partial<Record<string, unknown>>;
  const has = (key: string): boolean => given[key] !== undefined && given[key] !== false;
  if (has("prompt") && has("file")) conflict("--prompt", "--file");
  if (has("json") && has("jsonStream")) conflict("--json", "--json-stream");
  if (has("raw") && given["system"] !== undefined) conflict("--raw", "--system-prompt");
  if (has("raw") && given["openThink"] !== undefined) conflict("--raw", "--open-think");
  const escape = given["escape"] as boolean | undefined;
  return Object.freeze({
    prompt: given["prompt"] as string | undefined,
    file: given["file"] as string | undefined,
    isRaw: has("raw"),
    escapes: escape === undefined ? "prompt" : escape ? "all" : "none",
    system: given["system"] as string | undefined,
    openThink: (given["openThink"] as "auto" | boolean | undefined) ?? "auto",
    showsPromptTokens: has("verbosePrompt"),
    showsPrompt: has("displayPrompt"),
    hidesReasoning: has("hideReasoning"),
    color: (given["color"] as Settings["color"] | undefined) ?? "auto",
    timings: given["timings"] as boolean | undefined,
    isVerbose: has("verbose"),
    output: has("json") ? "json" : has("jsonStream") ? "json-stream" : "text",
  });
}
