// Which types the K and V cache can have on which file, and how many bytes they take. Pure; runs on
// any JavaScript thread.
import { R1Error } from "../base/errors.js";

/** llama.cpp's cache types (`--cache-type-k`), from the most exact down. */
export const CACHE_TYPES = [
  "f32",
  "f16",
  "bf16",
  "q8_0",
  "q5_1",
  "q5_0",
  "iq4_nl",
  "q4_1",
  "q4_0",
] as const;

/** A type of the K or V cache. */
export type CacheType = (typeof CACHE_TYPES)[number];

/** Values a block of a quantised type; one for the others. */
const BLOCK = 32;
const EXACT: readonly CacheType[] = ["f32", "f16", "bf16"];

/** Whether a type keeps values in blocks of 32. */
function isQuantized(type: CacheType): boolean {
  return !EXACT.includes(type);
}

/** What the choice depends on. */
export interface CacheQuestion {
  /** Names the file in messages. */
  readonly path: string;
  readonly isMla: boolean;
  /** Length of a K row and of a V row of one head; undefined where the file does not say. */
  readonly keyLength: number | undefined;
  readonly valueLength: number | undefined;
  readonly cacheTypeK: CacheType | undefined;
  readonly cacheTypeV: CacheType | undefined;
  readonly flashAttention: "auto" | "on" | "off";
}

/** The types a context is made with. */
export interface CacheChoice {
  readonly typeK: CacheType;
  readonly typeV: CacheType;
  readonly flashAttention: "auto" | "on" | "off";
}

function unsupported(question: CacheQuestion, message: string): never {
  const { path, cacheTypeK, cacheTypeV, flashAttention, isMla } = question;
  throw new R1Error("CACHE_TYPE_UNSUPPORTED", message, {
    details: { path, cacheTypeK, cacheTypeV, flashAttention, isMla },
  });
}

/**
 * Settles the cache types of a file. With multi-head latent attention K holds one latent row a
 * token and V is a view of its first part, so V has K's type whatever is asked for.
 *
 * @throws {R1Error} `CACHE_TYPE_UNSUPPORTED` when the types cannot be had; the message says why and
 * what to give instead.
 */
export function chooseCacheTypes(question: CacheQuestion): CacheChoice {
  const { path, isMla, cacheTypeK, cacheTypeV, flashAttention, keyLength, valueLength } = question;
  if (isMla && cacheTypeK !== undefined && cacheTypeV !== undefined && cacheTypeK !== cacheTypeV) {
    unsupported(
      question,
      `${path} uses multi-head latent attention, where V is a view of K and cannot have another type, but \`cacheTypeK\` is "${cacheTypeK}" and \`cacheTypeV\` is "${cacheTypeV}". Give \`cacheTypeK\` alone.`,
    );
  }
  const typeK = cacheTypeK ?? (isMla ? cacheTypeV : undefined) ?? "f16";
  const typeV = isMla ? typeK : (cacheTypeV ?? "f16");
  if (isQuantized(typeV) && flashAttention === "off") {
    const why = isMla
      ? `on an MLA file the V cache has K's type "${typeK}", and a quantised V cache`
      : `the quantised V cache "${typeV}"`;
    unsupported(
      question,
      `${path}: ${why} needs flash attention, which \`flashAttention\` "off" forbids. Leave \`flashAttention\` at "auto", or take "f16".`,
    );
  }
  for (const [name, type, length] of [
    ["K", typeK, keyLength],
    ["V", typeV, valueLength],
  ] as const) {
    if (length !== undefined && isQuantized(type) && length % BLOCK !== 0) {
      unsupported(
        question,
        `${path}: a ${name} row of ${length} values cannot be cut into blocks of ${BLOCK}, as the cache type "${type}" needs. Take "f16", "bf16" or "f32".`,
      );
    }
  }
  // Flash attention follows a quantised V, as llama.cpp does when it is left to choose.
  return { typeK, typeV, flashAttention: isQuantized(typeV) ? "on" : flashAttention };
}

/** What the size of a cache depends on, out of the file's metadata. */
export interface CacheShape {
  readonly layers: number;
  readonly isMla: boolean;
  /** KV heads of each layer; 1 with MLA. */
  readonly kvHeads: readonly number[];
  readonly keyLength: number;
  readonly valueLength: number;
}

/**
 * Bytes a context's K and V cache will take.
 *
 * @param rowBytes - Bytes of a row of values of a type, as ggml counts.
 */
export function estimateCacheBytes(
  shape: CacheShape,
  choice: CacheChoice,
  cells: number,
  rowBytes: (type: string, values: number) => number,
): number {
  let perCell = 0;
  for (let layer = 0; layer < shape.layers; layer++) {
    const heads = shape.kvHeads[layer] ?? shape.kvHeads[0] ?? 1;
    perCell += rowBytes(choice.typeK, heads * shape.keyLength);
    if (!shape.isMla) perCell += rowBytes(choice.typeV, heads * shape.valueLength);
  }
  return perCell * cells;
}
