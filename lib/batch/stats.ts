// batchStats: how long the results of an output are and how they ended. Runs on the JavaScript
// thread, one piece of the file in memory at a time.
import { stat } from "node:fs/promises";
import { fileName } from "../base/check.js";
import { filesOf } from "./header.js";
import { Ledger } from "./ledger.js";
import { readLines } from "./lines.js";
import { isWhole } from "./record.js";
import { readRecords } from "./records.js";

/** Results whose number of tokens lies in one range. */
export interface LengthBucket {
  /** Fewest tokens. */
  readonly from: number;
  /** Most tokens. */
  readonly to: number;
  readonly count: number;
  /** Of these, results that ended by themselves. */
  readonly whole: number;
}

/** What an output amounts to. */
export interface BatchStats {
  readonly records: number;
  readonly ids: number;
  /** Lines of the errors file. */
  readonly failed: number;
  /** Results by the reason they ended, most frequent first. */
  readonly ends: readonly {
    readonly reason: string;
    readonly count: number;
    readonly share: number;
  }[];
  /** undefined where nothing was verified. */
  readonly verified: { readonly count: number; readonly of: number } | undefined;
  /** Tokens of prompts, and generated ones, in all. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  /** Generated tokens of one result; undefined without results. */
  readonly length:
    | {
        readonly mean: number;
        readonly p50: number;
        readonly p90: number;
        readonly p99: number;
        readonly max: number;
      }
    | undefined;
  /** Lengths in steps that double, from the shortest result to the longest. */
  readonly histogram: readonly LengthBucket[];
}

/** Numbers that grow without an object for each. */
class NumberList {
  #values = new Uint32Array(1024);
  #size = 0;

  push(value: number): void {
    if (this.#size === this.#values.length) {
      const larger = new Uint32Array(this.#size * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#size++] = value;
  }

  sorted(): Uint32Array {
    return this.#values.slice(0, this.#size).sort();
  }
}

/** Two buckets for each doubling: 64, 91, 128, ... */
const bucketOf = (tokens: number): number => Math.floor(Math.log2(Math.max(1, tokens)) * 2 + 1e-9);
const startOf = (bucket: number): number => Math.ceil(2 ** (bucket / 2) - 1e-9);

function lengthsOf(sorted: Uint32Array): BatchStats["length"] {
  if (sorted.length === 0) return undefined;
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  let sum = 0;
  for (const value of sorted) sum += value;
  return { mean: sum / sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

function histogramOf(
  counts: ReadonlyMap<number, { count: number; whole: number }>,
): LengthBucket[] {
  const buckets = [...counts.keys()];
  if (buckets.length === 0) return [];
  const first = Math.min(...buckets);
  const last = Math.max(...buckets);
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const { count = 0, whole = 0 } = counts.get(first + i) ?? {};
    return { from: startOf(first + i), to: startOf(first + i + 1) - 1, count, whole };
  }).filter(({ from, to }) => from <= to);
}

/**
 * @param output - The output of a batch; it may still grow.
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `JOURNAL_INVALID`.
 */
export async function batchStats(output: string | URL): Promise<BatchStats> {
  const path = fileName(output, "output");
  const ends = new Map<string, number>();
  const counts = new Map<number, { count: number; whole: number }>();
  const lengths = new NumberList();
  const ledger = new Ledger();
  let records = 0;
  const verified = { count: 0, of: 0 };
  const tokens = { prompt: 0, completion: 0, reasoning: 0 };
  for await (const group of readRecords(path)) {
    for (const { record } of group) {
      records++;
      ledger.addSample(record.id, record.sample, false);
      ends.set(record.finish_reason, (ends.get(record.finish_reason) ?? 0) + 1);
      if (record.verified !== undefined) verified.of++;
      if (record.verified === true) verified.count++;
      tokens.prompt += record.prompt_tokens;
      tokens.completion += record.completion_tokens;
      tokens.reasoning += record.reasoning_tokens;
      lengths.push(record.completion_tokens);
      const bucket = bucketOf(record.completion_tokens);
      const before = counts.get(bucket) ?? { count: 0, whole: 0 };
      before.count++;
      if (isWhole(record)) before.whole++;
      counts.set(bucket, before);
    }
  }
  return {
    records,
    ids: ledger.size,
    failed: await countLines(filesOf(path).errors),
    ends: [...ends]
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => ({ reason, count, share: count / records })),
    verified: verified.of === 0 ? undefined : verified,
    promptTokens: tokens.prompt,
    completionTokens: tokens.completion,
    reasoningTokens: tokens.reasoning,
    length: lengthsOf(lengths.sorted()),
    histogram: histogramOf(counts),
  };
}

async function countLines(path: string): Promise<number> {
  if (!(await stat(path).catch(() => undefined))) return 0;
  let count = 0;
  for await (const lines of readLines(path)) count += lines.length;
  return count;
}
