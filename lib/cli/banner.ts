// Describes which model answers: the notice if the user named no model, and the name of the model
// otherwise. Pure, except that it reads how much memory is free. Main thread.
import { basename } from "node:path";
import type { ModelInfo } from "../index.js";
import { availableMemory, R1_DISTILLS, R1_QUANTS } from "../plan.js";
import { bytesText } from "./file-work.js";

const GIB = 2 ** 30;
/**
 * Share of the free memory that weights may use; the cache, buffers and other programs need the
 * rest.
 */
const WEIGHTS_SHARE = 0.7;

/**
 * The largest R1 model that fits into the given memory, as the Hub names it; the smallest if none
 * fits.
 */
export function modelFor(freeBytes: number): { reference: string; bytes: number } {
  const models = [
    ...R1_DISTILLS.map(({ name, sizeGiB }) => ({
      reference: `unsloth/${name}-GGUF:Q4_K_M`,
      bytes: sizeGiB.Q4_K_M * GIB,
    })),
    ...R1_QUANTS.map(({ name, sizeGiB, repository }) => ({
      reference: `${repository}:${name}`,
      bytes: sizeGiB * GIB,
    })),
  ];
  const [smallest] = models;
  if (smallest === undefined) throw new TypeError("there is no model");
  return models.findLast(({ bytes }) => bytes <= freeBytes * WEIGHTS_SHARE) ?? smallest;
}

/** What a user who named no model should know. */
export function demoNotice(
  command: "run" | "chat" | "serve",
  freeBytes = availableMemory(),
): string {
  const { reference, bytes } = modelFor(freeBytes);
  const name = command === "run" ? "r1-native" : `r1-native ${command}`;
  return (
    `Answering with tiny-r1, a demo model of 7 MB that only does small sums.\n` +
    `A real model for ${bytesText(freeBytes)} of memory (${bytesText(bytes)} to download):\n` +
    `  ${name} -hf ${reference}\n\n`
  );
}

/** Describes a loaded model in a few words: its file, its size and which release of R1 it is. */
export function modelText({ path, fileBytes, variant, architecture }: ModelInfo): string {
  const kind = variant === "other" ? architecture : variant;
  return `${JSON.stringify(basename(path)).slice(1, -1)}, ${bytesText(fileBytes)}, ${kind}`;
}

/** Describes where a model computes: its GPUs and how many layers they hold, or the CPU. */
export function placeText({ devices, gpuLayers, layers }: ModelInfo): string {
  const gpus = devices.filter((name) => name !== "CPU");
  if (gpus.length === 0) return "CPU";
  // The output layer counts as one more.
  const all = layers + 1;
  const count = gpuLayers < 0 ? all : Math.min(gpuLayers, all);
  return `${gpus.join("+")} ${count}/${all} layers`;
}
