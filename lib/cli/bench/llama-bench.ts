// Reads what llama-bench reports, to compare with it; and the command line that measures the same
// with it. Main thread.
import { R1Error } from "../../base/errors.js";
import type { ModelInfo } from "../../index.js";
import { readText } from "../flag-values.js";
import type { BenchPlan } from "./measure.js";

/** The fields of llama-bench's JSON that matter here. */
interface Row {
  readonly n_prompt: number;
  readonly n_gen: number;
  readonly n_depth?: number;
  readonly avg_ts: number;
}

function isRow(value: unknown): value is Row {
  const { n_prompt, n_gen, avg_ts } = (value ?? {}) as Partial<Record<keyof Row, unknown>>;
  return [n_prompt, n_gen, avg_ts].every((number) => typeof number === "number");
}

/**
 * Reads tokens a second by the name of the test from a file that `llama-bench -o json` wrote.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` if it is not such a file; `FILE_NOT_FOUND` and the system's.
 */
export function readLlamaBench(path: string): ReadonlyMap<string, number> {
  let rows: unknown;
  try {
    rows = JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof R1Error) throw error;
  }
  if (!Array.isArray(rows) || rows.length === 0 || !rows.every(isRow))
    throw new R1Error(
      "INVALID_ARGUMENT",
      `${JSON.stringify(path)} is not what llama-bench -o json writes.`,
      { details: { option: "--llama-bench", path } },
    );
  const found = new Map<string, number>();
  for (const { n_prompt, n_gen, n_depth = 0, avg_ts } of rows)
    if (n_depth === 0 && n_gen === 0) found.set(`pp${n_prompt}`, avg_ts);
    else if (n_depth === 0 && n_prompt === 0) found.set(`tg${n_gen}`, avg_ts);
  return found;
}

/** The command line of llama-bench that measures the same. */
export function llamaBenchLine(
  info: ModelInfo,
  { prompt, generate, repetitions }: BenchPlan,
): string {
  const { path, cache, threads, flashAttention, gpuLayers } = info;
  const words = ["llama-bench", "-m", JSON.stringify(path), "-p", prompt, "-n", generate];
  const more = [
    ...["-r", repetitions, "-t", threads],
    ...(cache.typeK === "f16" ? [] : ["-ctk", cache.typeK]),
    ...(cache.typeV === "f16" ? [] : ["-ctv", cache.typeV]),
    ...(flashAttention === "auto" ? [] : ["-fa", flashAttention === "on" ? 1 : 0]),
    ...(gpuLayers === 0 ? [] : ["-ngl", gpuLayers < 0 ? 999 : gpuLayers]),
  ];
  return [...words, ...more, "-o", "json"].join(" ");
}
