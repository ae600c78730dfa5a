// Turns the parsed flags of `run` and `chat` into settings: fills in defaults and refuses
// contradictions. Main thread.
import { R1Error } from "../base/errors.js";
import { referenceOfPage } from "../hub.js";
import type { OptionBag } from "./flags.js";
import { hubName } from "./flags-load.js";

/** Settings of `run` and `chat` that are not options of the library. */
export interface Settings {
  readonly prompt: string | undefined;
  readonly file: string | undefined;
  readonly isRaw: boolean;
  /** Where to replace escape sequences: in -p (default), everywhere, nowhere. */
  readonly escapes: "prompt" | "all" | "none";
  readonly system: string | undefined;
  readonly openThink: "auto" | boolean;
  /** undefined: R1's. */
  readonly template: "r1" | "file" | undefined;
  readonly showsPromptTokens: boolean;
  readonly showsPrompt: boolean;
  readonly hidesReasoning: boolean;
  /** In `chat`: the reasoning stays on the screen when it has ended. */
  readonly showsReasoning: boolean;
  /** In `chat`: typed lines are kept for later conversations. */
  readonly hasHistory: boolean;
  readonly color: "on" | "off" | "auto";
  /** undefined: if standard error is a terminal. */
  readonly timings: boolean | undefined;
  readonly isVerbose: boolean;
  /** Address of a proxy for requests to the Hub. */
  readonly proxy: string | undefined;
  /** The file from which a conversation is restored and to which it is saved. */
  readonly sessionFile: string | undefined;
  readonly output: "text" | "json" | "json-stream";
}

function conflict(first: string, second: string): never {
  throw new R1Error(
    "INVALID_ARGUMENT",
    `${first} and ${second} cannot be used together: give only one of them.`,
    { details: { option: second } },
  );
}

/**
 * Returns the model that a text names. Addresses of the Hub's pages become references; addresses of
 * other servers cannot be loaded.
 */
export function namedModel(text: string, flag: string): string {
  if (!/^https?:\/\//i.test(text)) return text;
  const reference = referenceOfPage(text);
  if (reference !== undefined) return reference;
  throw new R1Error(
    "INVALID_ARGUMENT",
    `${flag} accepts a file or hf:owner/name:QUANT, not an address on another server. ` +
      "Download the file first and give its path.",
    { details: { option: flag } },
  );
}

/** The model of --model, or of --hf-repo and --hf-file. */
function modelOf({ load, run }: OptionBag): string | undefined {
  const { path, hfRepo, hfFile } = { ...load, ...run } as Readonly<
    Record<string, string | undefined>
  >;
  if (hfRepo !== undefined && path !== undefined) conflict("--model", "--hf-repo");
  if (hfFile !== undefined && hfRepo === undefined)
    throw new R1Error(
      "INVALID_ARGUMENT",
      "--hf-file names a file of a repository: give the repository with --hf-repo.",
      { details: { option: "--hf-file" } },
    );
  if (hfRepo !== undefined) {
    const repo = hubName(hfRepo);
    // The file replaces the quant, like in llama.cpp.
    return hfFile === undefined ? repo : `${repo.replace(/(?<=^hf:.*):[^/]*$/, "")}/${hfFile}`;
  }
  return path === undefined ? undefined : namedModel(path, "--model");
}

/**
 * Returns the options of loading, and `path`. Reserves room for drafts as long as --ngram-draft
 * allows; that flag is otherwise an option of the reply.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` if flags contradict each other.
 */
export function loadOptionsOf(bag: OptionBag): Readonly<Record<string, unknown>> {
  const { ngram } = (bag.generate["speculation"] ?? {}) as { readonly ngram?: number };
  const { path: _path, draftModel, ...options } = bag.load;
  const path = modelOf(bag);
  return {
    ...options,
    ...(path === undefined ? {} : { path }),
    ...(draftModel === undefined
      ? {}
      : { draftModel: namedModel(draftModel as string, "--model-draft") }),
    ...(ngram === undefined ? {} : { maxDraft: ngram }),
  };
}

/** A model's name in the place of the prompt, as in ollama's command line. */
const MODEL_NAME = /^hf:\S+$|^\S+\.gguf$/i;

/** Returns the prompt given without a flag. */
function barePrompt(words: readonly string[], command: string): string | undefined {
  const [word, ...more] = words;
  if (word === undefined) return undefined;
  if (MODEL_NAME.test(word))
    throw new R1Error(
      "INVALID_ARGUMENT",
      (
        `${JSON.stringify(word)} is in the place of the prompt. Give a model with --model: ` +
        `r1-native ${command} --model ${word} ${command === "run" ? '"What is 1+1?"' : ""}`
      ).trimEnd(),
      { details: { option: "--model" } },
    );
  if (more.length > 0)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `The prompt is one argument: put it in quotes, r1-native ${command} ${JSON.stringify(words.join(" "))}.`,
      { details: { option: "prompt" } },
    );
  return word;
}

/**
 * @param words - The arguments of the command line that belong to no flag.
 * @throws {R1Error} `INVALID_ARGUMENT` if flags contradict each other.
 */
export function settingsOf(
  { run, generate }: OptionBag,
  words: readonly string[] = [],
  command = "run",
): Settings {
  const bare = barePrompt(words, command);
  const given: Partial<Record<string, unknown>> = {
    ...run,
    ...(bare === undefined ? {} : { prompt: bare }),
  };
  const has = (key: string): boolean => given[key] !== undefined && given[key] !== false;
  if (bare !== undefined && run["prompt"] !== undefined)
    conflict("A prompt without a flag", "--prompt");
  if (has("prompt") && has("file"))
    conflict(bare === undefined ? "--prompt" : "A prompt without a flag", "--file");
  const { mode, maxTokens, effort } = (generate["reasoning"] ?? {}) as Record<string, unknown>;
  if (mode === "off" && maxTokens !== undefined) conflict("--reasoning off", "--reasoning-budget");
  if (mode === "off" && effort !== undefined) conflict("--reasoning off", "--reasoning-effort");
  if (mode !== undefined && mode !== "auto" && typeof given["openThink"] === "boolean")
    conflict("--reasoning", "--open-think");
  if (has("raw") && mode !== undefined) conflict("--raw", "--reasoning");
  if (has("raw") && has("template")) conflict("--raw", "--template");
  if (has("hideReasoning") && has("showReasoning"))
    conflict("--hide-reasoning", "--show-reasoning");
  if (has("json") && has("jsonStream")) conflict("--json", "--json-stream");
  if (has("raw") && given["system"] !== undefined) conflict("--raw", "--system-prompt");
  if (has("raw") && given["openThink"] !== undefined) conflict("--raw", "--open-think");
  if (has("session") && given["system"] !== undefined) conflict("--session", "--system-prompt");
  const escape = given["escape"] as boolean | undefined;
  return Object.freeze({
    prompt: given["prompt"] as string | undefined,
    file: given["file"] as string | undefined,
    isRaw: has("raw"),
    escapes: escape === undefined ? "prompt" : escape ? "all" : "none",
    system: given["system"] as string | undefined,
    openThink: (given["openThink"] as "auto" | boolean | undefined) ?? "auto",
    template: given["template"] as Settings["template"],
    showsPromptTokens: has("verbosePrompt"),
    showsPrompt: has("displayPrompt"),
    hidesReasoning: has("hideReasoning"),
    showsReasoning: has("showReasoning"),
    hasHistory: given["history"] !== false,
    color: (given["color"] as Settings["color"] | undefined) ?? "auto",
    timings: given["timings"] as boolean | undefined,
    isVerbose: has("verbose"),
    sessionFile: given["session"] as string | undefined,
    proxy: given["proxy"] as string | undefined,
    output: has("json") ? "json" : has("jsonStream") ? "json-stream" : "text",
  });
}
