// Checks a model's vocabulary against what llama.cpp asserts (duplicate tokens end in an abort there) or silently misreads. In slices, so that 129,280 tokens
// do not hold up the event loop. Facts: src/llama-vocab.cpp of llama.cpp v0.5.0. Runs on the calling JavaScript thread.
import { R1Error } from "../base/errors.js";
import { ScalarElements, StringElements } from "./elements.js";
import type { Metadata } from "./metadata.js";
import type { Pacer } from "./pacer.js";

/** What the vocabulary's metadata says of itself. */
export interface VocabularyFacts {
  /** Number of tokens. */
  readonly vocabSize: number;
  /** `tokenizer.ggml.add_bos_token`; undefined where the file says nothing. */
  readonly addBosToken: boolean | undefined;
  /** `tokenizer.ggml.bos_token_id`; undefined where the file says nothing. */
  readonly bosTokenId: number | undefined;
}

const MAX_TOKENS = 4 * 1024 * 1024;
/** Ids whose absence from the vocabulary makes generation go wrong; llama.cpp would take a default instead and say so in its log only. */
const ID_KEYS = ["bos", "eos", "eot", "eom", "padding", "unknown", "seperator", "mask"];

function strings(m: Metadata, key: string): StringElements | undefined {
  const entry = m.entry(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "arr" || !(entry.elements instanceof StringElements)) m.invalid(`metadata "${key}" is no array of strings`);
  return entry.elements;
}

/** What the search for equal tokens works on; one kind of array throughout, so that its loop is compiled once and stays compiled. */
interface DuplicateSearch {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly hashes: Int32Array;
  readonly slots: Int32Array;
  readonly seed: number;
}

function isSame(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (; a < aEnd; a++, b++) if (bytes[a] !== bytes[b]) return false;
  return true;
}

/** Enters tokens `from` to `to` into the table of hashes; the index of the first that is there already, or -1. */
function enter(search: DuplicateSearch, from: number, to: number): number {
  const { bytes, starts, ends, hashes, slots, seed } = search;
  const mask = slots.length - 1;
  for (let i = from; i < to; i++) {
    const start = starts[i] as number;
    const limit = ends[i] as number;
    let end = start;
    let hash = seed;
    for (; end < limit; end++) {
      const byte = bytes[end] as number;
      if (byte === 0) break;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    hash ^= hash >>> 13;
    ends[i] = end;
    hashes[i] = hash;
    if (start === end) continue;
    let slot = hash & mask;
    for (let other = slots[slot] as number; other !== -1; other = slots[slot] as number) {
      if (hashes[other] === hash && isSame(bytes, starts[other] as number, ends[other] as number, start, end)) return i;
      slot = (slot + 1) & mask;
    }
    slots[slot] = i;
  }
  return -1;
}

/** Two tokens that llama.cpp takes for the same, or undefined. It reads a token up to its first NUL byte only; empty ones it tells apart. */
async function findDuplicate(table: StringElements, pacer: Pacer): Promise<[number, number] | undefined> {
  let capacity = 1024;
  while (capacity < table.length * 2) capacity *= 2;
  const search: DuplicateSearch = {
    bytes: table.bytes,
    starts: table.starts,
    ends: table.ends(),
    hashes: new Int32Array(table.length),
    slots: new Int32Array(capacity).fill(-1),
    // A start that no file can foresee: a vocabulary made to collide would only slow its own check down.
    seed: (Math.random() * 0x7fffffff) | 0,
  };
  for (let i = 0; i < table.length; i += 2048) {
    const second = enter(search, i, Math.min(i + 2048, table.length));
    if (second >= 0) {
      const { bytes, starts, ends } = search;
      const [start, end] = [starts[second] as number, ends[second] as number];
      for (let first = 0; first < second; first++) if (isSame(bytes, starts[first] as number, ends[first] as number, start, end)) return [first, second];
    }
    if (pacer.isDue()) await pacer.breathe();
  }
  return undefined;
}

/** The first of the merges `from` to `to` that is no pair parted by one space, or -1. */
function firstBadMerge(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array, from: number, to: number): number {
  for (let i = from; i < to; i++) {
    const start = starts[i] as number;
    const end = ends[i] as number;
    let spaces = 0;
    let at = -1;
    for (let p = start; p < end; p++) {
      if (bytes[p] === 0x20) {
        spaces++;
        at = p;
      }
    }
    if (spaces !== 1 || at === start || at === end - 1) return i;
  }
  return -1;
}

async function checkMerges(m: Metadata, merges: StringElements, pacer: Pacer): Promise<void> {
  const ends = merges.ends();
  for (let i = 0; i < merges.length; i += 4096) {
    const bad = firstBadMerge(merges.bytes, merges.starts, ends, i, Math.min(i + 4096, merges.length));
    if (bad >= 0) m.invalid(`merge ${bad} of its vocabulary, ${JSON.stringify(merges.at(bad)?.slice(0, 40))}, is no pair of tokens parted by one space`);
    if (pacer.isDue()) await pacer.breathe();
  }
}

async function checkTypes(m: Metadata, vocabSize: number, pacer: Pacer): Promise<void> {
  const key = "tokenizer.ggml.token_type";
  const entry = m.entry(key);
  if (entry === undefined) return;
  if (entry.type !== "arr" || entry.elementType !== "i32" || !(entry.elements instanceof ScalarElements)) m.invalid(`metadata "${key}" is no array of i32`);
  if (entry.elements.length < vocabSize) m.invalid(`metadata "${key}" has ${entry.elements.length} elements for ${vocabSize} tokens`);
  const types = entry.elements.int32s();
  const wrong = types.subarray(0, vocabSize).findIndex((type) => type < 0 || type > 6);
  if (wrong >= 0) m.invalid(`token ${wrong} has the unknown type ${types[wrong]}`);
  if (pacer.isDue()) await pacer.breathe();
}

/**
 * Checks the vocabulary of a model.
 *
 * @throws {R1Error} `GGUF_INVALID`, `MODEL_UNSUPPORTED` (no vocabulary at all).
 */
export async function checkVocabulary(m: Metadata, path: string, pacer: Pacer): Promise<VocabularyFacts> {
  const kind = m.text("tokenizer.ggml.model");
  if (kind === undefined) m.invalid(`metadata "tokenizer.ggml.model" is missing`);
  if (kind === "none" || kind === "no_vocab") {
    throw new R1Error("MODEL_UNSUPPORTED", `"${path}" has no vocabulary, so it can neither read nor write text. Give a text model.`, { details: { path } });
  }
  const tokens = strings(m, "tokenizer.ggml.tokens");
  if (tokens === undefined) m.invalid(`metadata "tokenizer.ggml.tokens" is missing`);
  if (tokens.length === 0 || tokens.length > MAX_TOKENS) m.invalid(`its vocabulary has ${tokens.length} tokens`);
  const vocabSize = tokens.length;
  const twice = await findDuplicate(tokens, pacer);
  if (twice !== undefined) m.invalid(`tokens ${twice[0]} and ${twice[1]} of its vocabulary are the same, ${JSON.stringify(tokens.at(twice[0])?.slice(0, 40))}`);
  await checkTypes(m, vocabSize, pacer);
  const scores = m.entry("tokenizer.ggml.scores");
  if (scores !== undefined && (scores.type !== "arr" || scores.elements.length < vocabSize))
    m.invalid(`metadata "tokenizer.ggml.scores" has no score for each of ${vocabSize} tokens`);
  const pre = m.text("tokenizer.ggml.pre");
  const merges = strings(m, "tokenizer.ggml.merges");
  if (kind === "gpt2" && merges === undefined && pre !== "kimi-k2") m.invalid(`metadata "tokenizer.ggml.merges" is missing`);
  // Gemma 4's pieces hold plain spaces; every other BPE vocabulary writes a space as another character.
  if (kind === "gpt2" && merges !== undefined && pre !== "gemma4") await checkMerges(m, merges, pacer);
  for (const name of ID_KEYS) {
    const key = `tokenizer.ggml.${name}_token_id`;
    const id = m.u32(key);
    if (id !== undefined && id >= vocabSize) m.invalid(`metadata "${key}" is ${id}, outside its vocabulary of ${vocabSize} tokens`);
  }
  const facts: VocabularyFacts = {
    vocabSize,
    addBosToken: m.bool("tokenizer.ggml.add_bos_token"),
    bosTokenId: m.u32("tokenizer.ggml.bos_token_id"),
  };
  for (const [name, role] of [
    ["add_bos_token", "bos"],
    ["add_eos_token", "eos"],
    ["add_sep_token", "seperator"],
  ] as const) {
    const isSaid = m.bool(`tokenizer.ggml.${name}`) === true;
    if (isSaid && kind === "gpt2" && m.u32(`tokenizer.ggml.${role}_token_id`) === undefined) {
      m.invalid(`"tokenizer.ggml.${name}" is true but "tokenizer.ggml.${role}_token_id" is missing`);
    }
  }
  return facts;
}
