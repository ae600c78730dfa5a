// Writes GGUF files piece by piece, for tests, benchmarks and synthetic models: memory use does not
// grow with the file. Synchronous.
import { open, readFile } from "node:fs/promises";

const VALUE_TYPES = [
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
];
const VALUE_BYTES = {
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

/** id, values a block, bytes a block of each tensor type that fixtures use. */
export const TENSOR_TYPES = {
  f32: [0, 1, 4],
  f16: [1, 1, 2],
  q4_0: [2, 32, 18],
  q8_0: [8, 32, 34],
  q2_K: [10, 256, 84],
  q4_K: [12, 256, 144],
  q5_K: [13, 256, 176],
  q6_K: [14, 256, 210],
  iq2_xxs: [16, 256, 66],
  iq1_s: [19, 256, 50],
  iq1_m: [29, 256, 56],
  i32: [26, 1, 4],
  bf16: [30, 1, 2],
};

const zeros = Buffer.alloc(4 * 1024 * 1024);

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(value) {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
}

function scalar(type, value) {
  if (type === "str") return text(value);
  const bytes = Buffer.alloc(VALUE_BYTES[type]);
  if (type === "u8" || type === "bool") bytes.writeUInt8(Number(value));
  else if (type === "i8") bytes.writeInt8(value);
  else if (type === "u16") bytes.writeUInt16LE(value);
  else if (type === "i16") bytes.writeInt16LE(value);
  else if (type === "u32") bytes.writeUInt32LE(value);
  else if (type === "i32") bytes.writeInt32LE(value);
  else if (type === "f32") bytes.writeFloatLE(value);
  else if (type === "f64") bytes.writeDoubleLE(value);
  else if (type === "u64") bytes.writeBigUInt64LE(BigInt(value));
  else bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

/** Bytes of a tensor of a type and shape. */
export function tensorBytes(type, shape) {
  const [, block, bytes] = TENSOR_TYPES[type];
  if (shape[0] % block !== 0)
    throw new Error(`rows of ${shape[0]} values are no whole blocks of ${type}`);
  return (shape.reduce((a, b) => a * b, 1) / block) * bytes;
}

/** Bytes of a metadata pair: `type` as in VALUE_TYPES; for "arr" the value is `{ of, values }`. */
export function pair(key, type, value) {
  const head = Buffer.concat([text(key), u32(VALUE_TYPES.indexOf(type))]);
  if (type !== "arr") return Buffer.concat([head, scalar(type, value)]);
  return Buffer.concat([
    head,
    u32(VALUE_TYPES.indexOf(value.of)),
    u64(value.values.length),
    ...value.values.map((v) => scalar(value.of, v)),
  ]);
}

/** Bytes of a whole header, padded; tensors are `{ name, type, shape }`, laid out in order. */
export function header(pairs, tensors, alignment = 32) {
  const parts = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(pairs.length), ...pairs];
  let offset = 0;
  for (const { name, type, shape } of tensors) {
    parts.push(
      text(name),
      u32(shape.length),
      ...shape.map((n) => u64(n)),
      u32(TENSOR_TYPES[type][0]),
      u64(offset),
    );
    offset += Math.ceil(tensorBytes(type, shape) / alignment) * alignment;
  }
  const bytes = Buffer.concat(parts);
  return Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);
}

/**
 * Writes a GGUF file.
 *
 * @param path Where.
 * @param pairs Metadata, each made by `pair()`.
 * @param tensors `{ name, type, shape, data }`; `data` is a Buffer, a function
 * `(offset, length) => Buffer` called for pieces of up to 4 MiB, or absent for zeros that take no
 * disk space.
 */
export async function writeGguf(path, pairs, tensors) {
  const file = await open(path, "w");
  try {
    const head = header(pairs, tensors);
    await file.write(head, 0, head.length, 0);
    let start = head.length;
    for (const { type, shape, data } of tensors) {
      const bytes = tensorBytes(type, shape);
      for (let offset = 0; data !== undefined && offset < bytes;) {
        const length = Math.min(4 * 1024 * 1024, bytes - offset);
        const piece =
          typeof data === "function"
            ? data(offset, length)
            : data.subarray(offset, offset + length);
        // Zeros become holes.
        if (piece[0] !== 0 || !piece.equals(zeros.subarray(0, length)))
          await file.write(piece, 0, length, start + offset);
        offset += length;
      }
      start += Math.ceil(bytes / 32) * 32;
    }
    await file.truncate(start);
  } finally {
    await file.close();
  }
}

/**
 * Reads a whole small GGUF file: pairs as raw bytes by key, strings of string arrays, and tensors
 * with their data. For fixtures, so it trusts the file.
 */
export async function readGguf(path) {
  const bytes = await readFile(path);
  let at = 8;
  const count = () => Number(bytes.readBigUInt64LE((at += 8) - 8));
  const number = () => bytes.readUInt32LE((at += 4) - 4);
  const string = () => {
    const length = count();
    return bytes.toString("utf8", at, (at += length));
  };
  const tensorCount = count();
  const pairCount = count();
  const pairs = new Map();
  for (let i = 0; i < pairCount; i++) {
    const start = at;
    const key = string();
    const type = VALUE_TYPES[number()];
    const entry = { type, raw: undefined, strings: undefined, start: at };
    if (type === "str") entry.text = string();
    else if (type !== "arr") at += VALUE_BYTES[type];
    else {
      const of = VALUE_TYPES[number()];
      const length = count();
      entry.dataStart = at;
      if (of === "str") entry.strings = Array.from({ length }, string);
      else at += length * VALUE_BYTES[of];
      entry.data = bytes.subarray(entry.dataStart, at);
    }
    entry.raw = bytes.subarray(start, at);
    pairs.set(key, entry);
  }
  const names = new Map(Object.entries(TENSOR_TYPES).map(([name, [id]]) => [id, name]));
  const table = Array.from({ length: tensorCount }, () => {
    const name = string();
    const shape = Array.from({ length: number() }, count);
    return { name, shape, type: names.get(number()), offset: count() };
  });
  const dataStart = Math.ceil(at / 32) * 32;
  const tensors = table.map((tensor) => {
    const start = dataStart + tensor.offset;
    return {
      name: tensor.name,
      type: tensor.type,
      shape: tensor.shape,
      data: bytes.subarray(start, start + tensorBytes(tensor.type, tensor.shape)),
    };
  });
  return { pairs, tensors };
}
