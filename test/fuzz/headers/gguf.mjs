// Reads and writes whole GGUF files as plain objects, right or wrong: the header fuzzer changes
// what lies between. Pure but for reading the file.
import { readFileSync } from "node:fs";

const TYPES = [
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
const SIZES = {
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

/** Values in a block and bytes of it, by ggml's number of a tensor type. */
export const TENSOR_TYPES = {
  0: [1, 4],
  1: [1, 2],
  2: [32, 18],
  3: [32, 20],
  6: [32, 22],
  7: [32, 24],
  8: [32, 34],
  10: [256, 84],
  12: [256, 144],
  14: [256, 210],
  19: [256, 50],
  20: [32, 18],
  26: [1, 4],
  30: [1, 2],
};

export const bytesOf = (type, shape) => {
  const [block, bytes] = TENSOR_TYPES[type];
  return (shape.reduce((a, b) => a * b, 1) / block) * bytes;
};

/**
 * `{ pairs: [{ key, type, of?, value }], tensors: [{ name, shape, type, data }] }`; strings are
 * Buffers.
 */
export function parse(path) {
  const file = readFileSync(path);
  let at = 8;
  const take = (count) => file.subarray(at, (at += count));
  const u32 = () => take(4).readUInt32LE();
  const u64 = () => Number(take(8).readBigUInt64LE());
  const text = () => take(u64());
  const scalar = (type) => {
    if (type === "str") return text();
    const bytes = take(SIZES[type]);
    if (type === "f32") return bytes.readFloatLE();
    if (type === "f64") return bytes.readDoubleLE();
    if (SIZES[type] === 8) return Number(bytes.readBigInt64LE());
    return type.startsWith("i")
      ? bytes.readIntLE(0, SIZES[type])
      : bytes.readUIntLE(0, SIZES[type]);
  };
  const tensorCount = u64();
  const pairCount = u64();
  const pairs = Array.from({ length: pairCount }, () => {
    const key = text().toString();
    const type = TYPES[u32()];
    if (type !== "arr") return { key, type, value: scalar(type) };
    const of = TYPES[u32()];
    const count = u64();
    return { key, type, of, value: Array.from({ length: count }, () => scalar(of)) };
  });
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = text().toString();
    const shape = Array.from({ length: u32() }, u64);
    return { name, shape, type: u32(), offset: u64() };
  });
  const start = Math.ceil(at / 32) * 32;
  for (const tensor of tensors)
    tensor.data = file.subarray(
      start + tensor.offset,
      start + tensor.offset + bytesOf(tensor.type, tensor.shape),
    );
  return { pairs, tensors };
}

const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const u64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(Math.trunc(value))));
  return bytes;
};
const text = (value) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
};

function scalar(type, value) {
  if (type === "str") return text(value);
  const bytes = Buffer.alloc(SIZES[type]);
  if (type === "f32") bytes.writeFloatLE(value);
  else if (type === "f64") bytes.writeDoubleLE(value);
  else {
    const wide = u64(Number.isFinite(value) ? value : 0);
    wide.copy(bytes, 0, 0, bytes.length);
  }
  return bytes;
}

const pad = (length, alignment) => Buffer.alloc((alignment - (length % alignment)) % alignment);

/**
 * The file's bytes up to its data, laid out by `alignment`. Of each tensor's `data` only its length
 * counts.
 */
export function writeHeader({ pairs, tensors, alignment = 32 }) {
  const pieces = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(pairs.length)];
  for (const { key, type, of, value } of pairs) {
    pieces.push(text(key), u32(TYPES.indexOf(type)));
    if (type === "arr")
      pieces.push(
        u32(TYPES.indexOf(of)),
        u64(value.length),
        ...value.map((one) => scalar(of, one)),
      );
    else pieces.push(scalar(type, value));
  }
  let offset = 0;
  for (const tensor of tensors) {
    pieces.push(text(tensor.name), u32(tensor.shape.length), ...tensor.shape.map(u64));
    pieces.push(u32(tensor.type), u64(offset));
    offset += tensor.data.length + pad(tensor.data.length, alignment).length;
  }
  const header = Buffer.concat(pieces);
  return Buffer.concat([header, pad(header.length, alignment)]);
}

/** The file's bytes, laid out by `alignment`. */
export function write(model) {
  const data = model.tensors.flatMap((tensor) => [
    tensor.data,
    pad(tensor.data.length, model.alignment ?? 32),
  ]);
  return Buffer.concat([writeHeader(model), ...data]);
}
