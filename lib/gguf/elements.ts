// Arrays of GGUF metadata. They keep the raw bytes and decode single elements, so a vocabulary of
// 129,280 strings does not become 129,280 objects.
import type { GgufElements, GgufScalar, GgufValueType } from "./format.js";

/** Bytes of one value of each fixed-size type. */
export const SCALAR_BYTES: Readonly<Record<Exclude<GgufValueType, "str" | "arr">, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  u64: 8,
  i64: 8,
  f64: 8,
};

/** Reads one fixed-size value at a byte offset. */
export function readScalar(
  view: DataView,
  offset: number,
  type: Exclude<GgufValueType, "str" | "arr">,
): GgufScalar {
  switch (type) {
    case "u8":
      return view.getUint8(offset);
    case "i8":
      return view.getInt8(offset);
    case "u16":
      return view.getUint16(offset, true);
    case "i16":
      return view.getInt16(offset, true);
    case "u32":
      return view.getUint32(offset, true);
    case "i32":
      return view.getInt32(offset, true);
    case "f32":
      return view.getFloat32(offset, true);
    case "bool":
      return view.getUint8(offset) !== 0;
    case "f64":
      return view.getFloat64(offset, true);
    default: {
      const value =
        type === "u64" ? view.getBigUint64(offset, true) : view.getBigInt64(offset, true);
      const plain = Number(value);
      return Number.isSafeInteger(plain) ? plain : value;
    }
  }
}

/** Fixed-size elements. */
export class ScalarElements implements GgufElements {
  readonly length: number;
  readonly #view: DataView;
  readonly #type: Exclude<GgufValueType, "str" | "arr">;

  constructor(bytes: Uint8Array, type: Exclude<GgufValueType, "str" | "arr">) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#type = type;
    this.length = bytes.byteLength / SCALAR_BYTES[type];
  }

  /** All elements of an array of i32. */
  int32s(): Int32Array {
    const { buffer, byteOffset, byteLength } = this.#view;
    return new Int32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  }

  at(i: number): GgufScalar | undefined {
    return i >= 0 && i < this.length
      ? readScalar(this.#view, i * SCALAR_BYTES[this.#type], this.#type)
      : undefined;
  }
}

/**
 * String elements: `starts[i]` is the offset in `bytes` at which the text of element i begins; its
 * length (u64) is in the 8 bytes before it.
 */
export class StringElements implements GgufElements {
  readonly length: number;
  /** The array as in the file: length and text of each element in turn. */
  readonly bytes: Buffer;
  /** Offset of each element in `bytes`. */
  readonly starts: Uint32Array;

  constructor(bytes: Buffer, starts: Uint32Array) {
    this.bytes = bytes;
    this.starts = starts;
    this.length = starts.length;
  }

  /** Returns the offset of element `i` in `bytes`. */
  start(i: number): number {
    return this.starts[i] ?? 0;
  }

  /** Returns the offset in `bytes` where element `i` ends. */
  end(i: number): number {
    return i + 1 < this.length ? (this.starts[i + 1] ?? 0) - 8 : this.bytes.length;
  }

  at(i: number): string | undefined {
    return i >= 0 && i < this.length
      ? this.bytes.toString("utf8", this.start(i), this.end(i))
      : undefined;
  }
}
