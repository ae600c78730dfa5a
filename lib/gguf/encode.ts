// Builds GGUF headers with the same layout as llama.cpp's own writer. Pure.
import type { GgufTensor } from "./format.js";
import { padTo } from "./header.js";

/** Alignment of a file that does not specify one. Unit: bytes. */
export const DEFAULT_ALIGNMENT = 32;

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
}

/** Encodes a pair with an unsigned 16-bit number. */
export function pairU16(key: string, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return Buffer.concat([text(key), u32(2), bytes]);
}

/** Encodes a pair with an unsigned 32-bit number. */
export function pairU32(key: string, value: number): Buffer {
  return Buffer.concat([text(key), u32(4), u32(value)]);
}

/** Encodes a pair with a boolean. */
export function pairBool(key: string, value: boolean): Buffer {
  return Buffer.concat([text(key), u32(7), Buffer.of(value ? 1 : 0)]);
}

/** Encodes a pair with a text. */
export function pairText(key: string, value: string): Buffer {
  return Buffer.concat([text(key), u32(8), text(value)]);
}

/** Encodes a pair with a list of texts. */
export function pairTexts(key: string, values: readonly string[]): Buffer {
  return Buffer.concat([text(key), u32(9), u32(8), u64(values.length), ...values.map(text)]);
}

/** Encodes a pair with a signed 32-bit number. */
export function pairI32(key: string, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return Buffer.concat([text(key), u32(5), bytes]);
}

/** A header and the offsets of the tensor data. */
export interface EncodedHeader {
  /** From the magic to the padding before the data. */
  readonly bytes: Buffer;
  /** Offset of each tensor in the file, in order. */
  readonly offsets: readonly number[];
  /** Size of the whole file. */
  readonly fileBytes: number;
}

/**
 * Encodes a header for tensors that are stored one after the other.
 *
 * @param pairs - Encoded metadata.
 * @param tensors - Names, shapes and types; their offsets are computed again.
 */
export function encodeHeader(
  pairs: readonly Buffer[],
  tensors: readonly GgufTensor[],
  alignment: number,
): EncodedHeader {
  const parts: Buffer[] = [
    Buffer.from("GGUF"),
    u32(3),
    u64(tensors.length),
    u64(pairs.length),
    ...pairs,
  ];
  let offset = 0;
  const relative: number[] = [];
  for (const tensor of tensors) {
    // llama.cpp drops trailing dimensions of 1, but keeps at least one dimension.
    let dimensions = Math.max(1, tensor.shape.length);
    while (dimensions > 1 && tensor.shape[dimensions - 1] === 1) dimensions--;
    const shape = Array.from({ length: dimensions }, (_, d) => tensor.shape[d] ?? 1);
    parts.push(
      text(tensor.name),
      u32(dimensions),
      ...shape.map(u64),
      u32(tensor.type.id),
      u64(offset),
    );
    relative.push(offset);
    offset += padTo(tensor.bytes, alignment);
  }
  const unpadded = Buffer.concat(parts);
  const bytes = Buffer.concat([unpadded], padTo(unpadded.length, alignment));
  return {
    bytes,
    offsets: relative.map((start) => bytes.length + start),
    fileBytes: bytes.length + offset,
  };
}
