// Checks a model's vocabulary against what llama.cpp asserts (duplicate tokens abort the process
// there) or silently misreads. Facts: src/llama-vocab.cpp of llama.cpp v0.5.0. Native threads go
// through its 129,280 tokens and as many merges.
import { R1Error } from "../../base/errors.js";
import { native } from "../../binding/load.js";
import { ScalarElements, StringElements } from "../elements.js";
import type { Metadata } from "../metadata.js";
import type { Pacer } from "../pacer.js";

/** What the vocabulary's metadata says about it. */
export interface VocabularyFacts {
  /** Number of tokens. */
  readonly vocabSize: number;
  /** `tokenizer.ggml.add_bos_token`; undefined if the file does not specify it. */
  readonly addBosToken: boolean | undefined;
  /** `tokenizer.ggml.bos_token_id`; undefined if the file does not specify it. */
  readonly bosTokenId: number | undefined;
}

const MAX_TOKENS = 4 * 1024 * 1024;
/**
 * Ids that break generation if they are outside the vocabulary; llama.cpp would use a default
 * instead and report it only in its log.
 */
const ID_KEYS = ["bos", "eos", "eot", "eom", "padding", "unknown", "seperator", "mask"];

function strings(m: Metadata, key: string): StringElements | undefined {
  const entry = m.entry(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "arr" || !(entry.elements instanceof StringElements))
    m.invalid(`metadata "${key}" is not an array of strings`);
  return entry.elements;
}

/**
 * Refuses duplicate tokens and malformed merges. Both checks run at the same time on other threads.
 */
async function checkStrings(
  m: Metadata,
  tokens: StringElements,
  merges: StringElements | undefined,
): Promise<void> {
  const addon = native();
  const [twice, bad] = await Promise.all([
    addon.findEqualStrings(tokens.bytes, tokens.starts),
    merges === undefined ? null : addon.findNoPair(merges.bytes, merges.starts),
  ]);
  if (twice !== null)
    m.invalid(
      `tokens ${twice[0]} and ${twice[1]} of its vocabulary are the same, ${JSON.stringify(tokens.at(twice[0])?.slice(0, 40))}`,
    );
  if (bad === null) return;
  m.invalid(
    `merge ${bad} of its vocabulary, ${JSON.stringify(merges?.at(bad)?.slice(0, 40))}, is ` +
      "not a pair of tokens separated by one space",
  );
}

async function checkTypes(m: Metadata, vocabSize: number, pacer: Pacer): Promise<void> {
  const key = "tokenizer.ggml.token_type";
  const entry = m.entry(key);
  if (entry === undefined) return;
  if (
    entry.type !== "arr" ||
    entry.elementType !== "i32" ||
    !(entry.elements instanceof ScalarElements)
  )
    m.invalid(`metadata "${key}" is not an array of i32`);
  if (entry.elements.length < vocabSize)
    m.invalid(`metadata "${key}" has ${entry.elements.length} elements for ${vocabSize} tokens`);
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
export async function checkVocabulary(
  m: Metadata,
  path: string,
  pacer: Pacer,
): Promise<VocabularyFacts> {
  const kind = m.text("tokenizer.ggml.model");
  if (kind === undefined) m.invalid(`metadata "tokenizer.ggml.model" is missing`);
  if (kind === "none" || kind === "no_vocab") {
    throw new R1Error(
      "MODEL_UNSUPPORTED",
      `"${path}" has no vocabulary, so it can neither read nor write text. Give a text model.`,
      { details: { path } },
    );
  }
  const tokens = strings(m, "tokenizer.ggml.tokens");
  if (tokens === undefined) m.invalid(`metadata "tokenizer.ggml.tokens" is missing`);
  if (tokens.length === 0 || tokens.length > MAX_TOKENS)
    m.invalid(`its vocabulary has ${tokens.length} tokens`);
  const vocabSize = tokens.length;
  const pre = m.text("tokenizer.ggml.pre");
  const merges = strings(m, "tokenizer.ggml.merges");
  // Gemma 4's tokens contain plain spaces; every other BPE vocabulary writes a space as another
  // character.
  await checkStrings(m, tokens, kind === "gpt2" && pre !== "gemma4" ? merges : undefined);
  await checkTypes(m, vocabSize, pacer);
  const scores = m.entry("tokenizer.ggml.scores");
  if (scores !== undefined && (scores.type !== "arr" || scores.elements.length < vocabSize))
    m.invalid(`metadata "tokenizer.ggml.scores" has no score for each of ${vocabSize} tokens`);
  if (kind === "gpt2" && merges === undefined && pre !== "kimi-k2")
    m.invalid(`metadata "tokenizer.ggml.merges" is missing`);
  for (const name of ID_KEYS) {
    const key = `tokenizer.ggml.${name}_token_id`;
    const id = m.u32(key);
    if (id !== undefined && id >= vocabSize)
      m.invalid(`metadata "${key}" is ${id}, outside its vocabulary of ${vocabSize} tokens`);
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
      m.invalid(
        `"tokenizer.ggml.${name}" is true but "tokenizer.ggml.${role}_token_id" is missing`,
      );
    }
  }
  return facts;
}
