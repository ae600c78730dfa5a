// Data types and hard limits of the GGUF reader. Types and constants only.
import type { GgmlType } from "./ggml-types.js";

/** Type of a metadata value, by llama.cpp's short names; the index is the number a file stores. */
export const GGUF_VALUE_TYPES = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "str",
  "arr",
  "u64",
  "i64",
  "f64",
] as const;

/** One of {@link GGUF_VALUE_TYPES}. */
export type GgufValueType = (typeof GGUF_VALUE_TYPES)[number];

/** A scalar metadata value. 64-bit integers are numbers if that is exact, otherwise bigints. */
export type GgufScalar = number | bigint | boolean | string;

/** The elements of a metadata array, decoded on demand. */
export interface GgufElements {
  readonly length: number;
  /** Element `i`; undefined outside the array. */
  at(i: number): GgufScalar | undefined;
}

/**
 * One metadata pair. `start` and `end` are its position in the file, so that it can be copied byte
 * for byte.
 */
export type GgufEntry = { readonly key: string; readonly start: number; readonly end: number } & (
  | { readonly type: Exclude<GgufValueType, "arr">; readonly value: GgufScalar }
  | {
      readonly type: "arr";
      readonly elementType: Exclude<GgufValueType, "arr">;
      readonly elements: GgufElements;
    }
);

/** One tensor of the table. */
export interface GgufTensor {
  readonly name: string;
  /** Innermost dimension first. */
  readonly shape: readonly number[];
  readonly type: GgmlType;
  /** From the start of the data section, in bytes. */
  readonly offset: number;
  /** Without padding. */
  readonly bytes: number;
}

/** The complete header of a file. */
export interface GgufHeader {
  readonly path: string;
  /** Size of the file, in bytes. */
  readonly fileBytes: number;
  readonly version: number;
  readonly alignment: number;
  readonly entries: ReadonlyMap<string, GgufEntry>;
  readonly tensors: readonly GgufTensor[];
  /** Bytes of metadata: from the start of the file to the tensor table. */
  readonly metadataEnd: number;
  /** Offset of the tensor data in the file. */
  readonly dataOffset: number;
  /** Offset in the file at which the last tensor ends, without padding. */
  readonly dataEnd: number;
}

/**
 * Limits on what a header may claim: far above every real model, and far below what would make a
 * reader or llama.cpp's quadratic searches for duplicates hang.
 */
export const GGUF_LIMITS = Object.freeze({
  pairs: 16_384,
  tensors: 65_536,
  keyBytes: 65_535,
  stringBytes: 64 * 1024 * 1024,
  arrayElements: 16 * 1024 * 1024,
  headerBytes: 512 * 1024 * 1024,
  tensorNameBytes: 63,
  dimensions: 4,
  alignment: 1024 * 1024,
});
