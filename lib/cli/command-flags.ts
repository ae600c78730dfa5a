// The flags of the commands that have a table of flags: what help, completion, the manual page and
// the configuration know about them. Data only.
import type { Flag } from "./flags.js";
import { answerFlags, thinkingFlags } from "./flags-answer.js";
import { batchFlags } from "./flags-batch.js";
import { benchFlags } from "./flags-bench.js";
import { generateFlags } from "./flags-generate.js";
import { loadFlags } from "./flags-load.js";
import { batchQueueFlags, workerFlags } from "./flags-queue.js";
import {
  conversationFlags,
  machineFlags,
  outputFlags,
  promptFlags,
  rawPromptFlags,
  sessionFlags,
} from "./flags-run.js";
import { serveFlags } from "./flags-serve.js";

const replyFlags = [...loadFlags, ...answerFlags, ...generateFlags, ...outputFlags];

/** Flags for which the server has other meanings are left out. */
const serveNames = new Set(serveFlags.flatMap(({ names }) => names));
const serveReplyFlags = [...loadFlags, ...generateFlags, ...thinkingFlags].filter(
  ({ names }) => !names.some((one) => serveNames.has(one)),
);

/** Commands that have a table of flags. */
export type FlaggedCommand = "run" | "chat" | "serve" | "batch" | "worker" | "bench";

/** The flags of each of these commands, in the order of its help. */
export const COMMAND_FLAGS: Readonly<Record<FlaggedCommand, readonly Flag[]>> = Object.freeze({
  run: [...promptFlags, ...rawPromptFlags, ...conversationFlags, ...replyFlags, ...machineFlags],
  chat: [...promptFlags, ...conversationFlags, ...sessionFlags, ...replyFlags],
  serve: [...serveFlags, ...serveReplyFlags],
  batch: [
    ...batchFlags,
    ...batchQueueFlags,
    ...conversationFlags,
    ...loadFlags,
    ...answerFlags,
    ...generateFlags,
  ],
  worker: [...workerFlags, ...loadFlags],
  bench: [...benchFlags, ...loadFlags],
});

/** Whether a command has a table of flags. */
export const hasFlagTable = (name: string): name is FlaggedCommand =>
  Object.hasOwn(COMMAND_FLAGS, name);
