// Identities of rows: ids from content, 128-bit keys, seeds and shards that depend on nothing but
// the row itself. Pure; any JavaScript thread.
import { hash } from "node:crypto";
import { canonical } from "../base/schema/values.js";

/** The largest seed: 2^32 - 1 means "choose one" to llama.cpp. */
export const MAX_SEED = 0xffff_fffe;
const SEEDS = MAX_SEED + 1;

/** The id of a row that brings none: a hash of all of its content, whatever the order of keys. */
export function contentId(row: unknown): string {
  return `sha256-${hash("sha256", canonical(row), "hex").slice(0, 32)}`;
}

/** 128 bits that stand for an id, as four numbers. */
export function keyOf(id: string): readonly [number, number, number, number] {
  // As text of one byte a character: a Buffer for each of a million ids takes three times as long.
  const digest = hash("sha256", id, "binary");
  return [wordAt(digest, 0), wordAt(digest, 4), wordAt(digest, 8), wordAt(digest, 12)];
}

/** Four bytes of a digest as a number, the lowest first. */
const wordAt = (bytes: string, at: number): number =>
  (bytes.charCodeAt(at) |
    (bytes.charCodeAt(at + 1) << 8) |
    (bytes.charCodeAt(at + 2) << 16) |
    (bytes.charCodeAt(at + 3) << 24)) >>>
  0;

/**
 * The seed of one attempt at one sample: it follows from the run's seed and the row alone, so that
 * order, shards and restarts change nothing.
 *
 * @param own - The row's own seed: its first sample takes it as it is, the others count up from it.
 * @param attempt - From 1; a later attempt has another seed.
 */
export function seedOf(
  runSeed: number,
  id: string,
  sample: number,
  attempt: number,
  own: number | undefined,
): number {
  if (own !== undefined && attempt === 1) return (own + sample) % SEEDS;
  const words = hash("sha256", JSON.stringify([own ?? runSeed, id, sample, attempt]), "buffer");
  return words.readUInt32LE(0) % SEEDS;
}

/** A share of a batch: the `index`-th of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Whether the row whose key ends in a word belongs to a shard. */
export const isShardOf = (word: number, { index, count }: Shard): boolean =>
  word % count === index - 1;

/** Whether a row belongs to a shard. */
export const isInShard = (id: string, shard: Shard): boolean => isShardOf(keyOf(id)[3], shard);
