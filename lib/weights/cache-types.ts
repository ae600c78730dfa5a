// Chooses the types of the K and V cache for a file and estimates the cache's size in bytes.
import { R1Error } from "../base/errors.js";

/** llama.cpp's cache types (`--cache-type-k`), most exact first. */
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

/** Values per block of a quantised type; the other types have one value per block. */
const BLOCK = 32;
const EXACT: readonly CacheType[] = ["f32", "f16", "bf16"];

/** Whether a type stores values in blocks of 32. */
function isQuantized(type: CacheType): boolean {
  return !EXACT.includes(type);
}

/** The inputs of the choice. */
export interface CacheQuestion {
  /** The path of the file, for messages. */
  readonly path: string;
  readonly isMla: boolean;
  /** Length of a K row and of a V row of one head; undefined if the file does not say. */
  readonly keyLength: number | undefined;
  readonly valueLength: number | undefined;
  readonly cacheTypeK: CacheType | undefined;
  readonly cacheTypeV: CacheType | undefined;
  readonly flashAttention: "auto" | "on" | "off";
}

/** The types that a context is created with. */
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
 * Chooses the cache types for a file. With multi-head latent attention, K holds one latent row per
 * token and V is a view of its first part, so V always has K's type.
 *
 * @throws {R1Error} `CACHE_TYPE_UNSUPPORTED` when the file does not support the types; the message
 * gives the reason and the alternatives.
 */
export function chooseCacheTypes(question: CacheQuestion): CacheChoice {
  const { path, isMla, cacheTypeK, cacheTypeV, flashAttention, keyLength, valueLength } = question;
  if (isMla && cacheTypeK !== undefined && cacheTypeV !== undefined && cacheTypeK !== cacheTypeV) {
    unsupported(
      question,
      `${path} uses multi-head latent attention: V is a view of K and cannot have a type of ` +
        `its own, but \`cacheTypeK\` is "${cacheTypeK}" and \`cacheTypeV\` is ` +
        `"${cacheTypeV}". Set \`cacheTypeK\` only.`,
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
      `${path}: ${why} needs flash attention, but \`flashAttention\` is "off". Leave ` +
        '`flashAttention` at "auto", or use the cache type "f16".',
    );
  }
  for (const [name, type, length] of [
    ["K", typeK, keyLength],
    ["V", typeV, valueLength],
  ] as const) {
    if (length !== undefined && isQuantized(type) && length % BLOCK !== 0) {
      unsupported(
        question,
        `${path}: a ${name} row of ${length} values cannot be divided into blocks of ` +
          `${BLOCK}, which the cache type "${type}" needs. Use "f16", "bf16" or "f32".`,
      );
    }
  }
  // A quantised V turns flash attention on, as in llama.cpp when the choice is left to it.
  return { typeK, typeV, flashAttention: isQuantized(typeV) ? "on" : flashAttention };
}

/** The metadata of the file that the size of a cache depends on. */
export interface CacheShape {
  readonly layers: number;
  readonly isMla: boolean;
  /** KV heads per layer; 1 with MLA. */
  readonly kvHeads: readonly number[];
  readonly keyLength: number;
  readonly valueLength: number;
}

/**
 * Bytes that the K and V cache of a context will use.
 *
 * @param rowBytes - Bytes of a row of values of a type, computed as in ggml.
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
