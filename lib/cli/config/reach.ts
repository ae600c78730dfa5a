// Which settings may come from where. A file of a project may hold only what cannot name anything
// that is loaded, read, contacted or opened to others. Data only.
import type { Flag } from "../flags.js";

/**
 * The sources that may set a flag: all; the user's own (user file and environment) and the command
 * line; the command line alone.
 */
export type Reach = "anywhere" | "user" | "command line";

/**
 * What a project's file may set: an option that is not in these lists is the user's own. A new flag
 * is therefore out of a project's reach until somebody adds it here.
 */
const FROM_PROJECT: Readonly<Record<Flag["target"], readonly string[]>> = {
  load: [
    "batchSize",
    "cacheTypeK",
    "cacheTypeV",
    "checkTensors",
    "contextSize",
    "cpuMoe",
    "deterministic",
    "devices",
    "flashAttention",
    "gpuLayers",
    "kvUnified",
    "loadMode",
    "mainGpu",
    "nCpuMoe",
    "offloadKqv",
    "opOffload",
    "poll",
    "repack",
    "rope",
    "sequences",
    "splitMode",
    "tensorOverrides",
    "tensorSplit",
    "threads",
    "threadsBatch",
    "ubatchSize",
    "warmup",
  ],
  generate: [
    "dry",
    "dynamicTemperature",
    "frequencyPenalty",
    "ignoreEos",
    "logitBias",
    "logprobs",
    "loopGuard",
    "maxTokens",
    "minP",
    "mirostat",
    "penaltyLastN",
    "presencePenalty",
    "reasoning",
    "repeatPenalty",
    "response",
    "samplers",
    "seed",
    "speculation",
    "stop",
    "temperature",
    "timeoutMs",
    "topK",
    "topNSigma",
    "topP",
    "typicalP",
    "xtc",
  ],
  run: [
    "color",
    "escape",
    "format",
    "hideReasoning",
    "history",
    "map",
    "maxAttempts",
    "maxSamples",
    "openThink",
    "raw",
    "reasoningFormat",
    "retry",
    "samples",
    "sequences",
    "showReasoning",
    "system",
    "template",
    "timings",
  ],
};

/** What only one call can mean. */
const ONCE = [
  "allowChange",
  "dashboard",
  "displayPrompt",
  "file",
  "listDevices",
  "prompt",
  "repair",
  "retryErrors",
  "session",
  "shard",
  "verbosePrompt",
];

/** Flags whose value is the path of a file that is read. */
const READS_FILE = /-file$/;

/** Returns which sources may set a flag. */
export function reachOf({ target, option, names, hidden }: Flag): Reach {
  if (hidden === true || (target === "run" && ONCE.includes(option))) return "command line";
  const readsFile = names.some((name) => READS_FILE.test(name));
  return FROM_PROJECT[target].includes(option) && !readsFile ? "anywhere" : "user";
}
