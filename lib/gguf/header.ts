// Reads a GGUF header: metadata and tensor table, but not the data. Reads forwards, in slices, with
// limits on everything, and fails only with an R1Error.
import type { FileHandle } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import { Cursor } from "./cursor.js";
import { readScalar, ScalarElements, SCALAR_BYTES, StringElements } from "./elements.js";
import {
  GGUF_LIMITS,
  GGUF_VALUE_TYPES,
  type GgufElements,
  type GgufEntry,
  type GgufHeader,
  type GgufTensor,
  type GgufValueType,
} from "./format.js";
import { ggmlTypeById, tensorBytes } from "./ggml-types.js";
import { Pacer } from "./pacer.js";

/** Common other formats, recognised by their first bytes. */
const OTHERS: readonly (readonly [magic: string, what: string])[] = [
  ["version https://git-lfs", "a Git LFS pointer: fetch the real file with `git lfs pull`"],
  ["<!DOCTYPE", "a web page: the download went to a page instead of the file"],
  ["<html", "a web page: the download went to a page instead of the file"],
  ["PK\x03\x04", "a zip archive or PyTorch checkpoint: convert it to GGUF first"],
  ["tjgg", "an old GGML file (GGJT): convert the model to GGUF"],
  ["fmgg", "an old GGML file (GGMF): convert the model to GGUF"],
  ["lmgg", "an old GGML file: convert the model to GGUF"],
  ["FUGG", "a big-endian GGUF file, which this machine cannot read"],
];

/** Rounds up to a multiple of a power of two. */
export function padTo(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

async function checkMagic(cursor: Cursor): Promise<void> {
  await cursor.need(Math.min(24, cursor.size), "magic");
  if (cursor.size >= 4 && cursor.chunk.toString("latin1", 0, 4) === "GGUF") return;
  const start = cursor.chunk.toString("latin1", 0, 24);
  const other = OTHERS.find(([magic]) => start.startsWith(magic));
  const seems =
    other === undefined
      ? `it begins with ${JSON.stringify(start.slice(0, 4))}`
      : `it looks like ${other[1]}`;
  throw new R1Error("NOT_GGUF", `"${cursor.path}" is not a GGUF file: ${seems}.`, {
    details: { path: cursor.path },
  });
}

async function readText(cursor: Cursor, what: string, limit: number): Promise<string> {
  await cursor.need(8, what);
  const length = cursor.count(`the length of ${what}`, limit, 1);
  await cursor.need(length, what);
  const text = cursor.chunk.toString("utf8", cursor.position, cursor.position + length);
  cursor.position += length;
  return text;
}

function valueType(cursor: Cursor, key: string): GgufValueType {
  const id = cursor.u32();
  return GGUF_VALUE_TYPES[id] ?? cursor.invalid(`metadata "${key}" has the unknown type ${id}`);
}

/**
 * Skips strings that are complete in `view`, starting with element `i` at `at`, and stores the
 * offset of each one's text, counted from `base`. Stops at the first string that is incomplete or
 * whose length needs more than four bytes. `state` holds [element, position] before and after. A
 * tight loop over plain numbers: a vocabulary and its merges are 300,000 strings.
 */
function stepOver(
  view: DataView,
  base: number,
  starts: Uint32Array,
  last: number,
  state: Int32Array,
): void {
  let i = state[0] as number;
  let at = state[1] as number;
  const limit = view.byteLength - 8;
  for (; i < last && at <= limit; i++) {
    const length = view.getUint32(at, true);
    if (
      length > limit - at ||
      length > GGUF_LIMITS.stringBytes ||
      view.getUint32(at + 4, true) !== 0
    )
      break;
    starts[i] = at + 8 - base;
    at += 8 + length;
  }
  state[0] = i;
  state[1] = at;
}

async function readStrings(
  cursor: Cursor,
  key: string,
  length: number,
  pacer: Pacer,
): Promise<StringElements> {
  const starts = new Uint32Array(length);
  const first = cursor.offset;
  const pieces: Buffer[] = [];
  let kept = cursor.position;
  const state = new Int32Array(2);
  for (let i = 0; i < length;) {
    const last = Math.min(length, i + 4096);
    state[0] = i;
    state[1] = cursor.position;
    stepOver(cursor.view, first - (cursor.offset - cursor.position), starts, last, state);
    i = state[0];
    cursor.position = state[1];
    if (pacer.isDue()) await pacer.breathe();
    if (i === last) continue;
    // A string that runs past the window, or an invalid one.
    if (cursor.buffered < 8) {
      pieces.push(cursor.chunk.subarray(kept, cursor.position));
      await cursor.need(8, key);
      kept = cursor.position;
    }
    const bytes = cursor.count(
      `the length of element ${i} of "${key}"`,
      GGUF_LIMITS.stringBytes,
      1,
    );
    if (cursor.buffered < bytes) {
      pieces.push(cursor.chunk.subarray(kept, cursor.position));
      await cursor.need(bytes, key);
      kept = cursor.position;
    }
    starts[i++] = cursor.offset - first;
    cursor.position += bytes;
  }
  pieces.push(cursor.chunk.subarray(kept, cursor.position));
  return new StringElements(Buffer.concat(pieces), starts);
}

async function readArray(
  cursor: Cursor,
  key: string,
  start: number,
  pacer: Pacer,
): Promise<GgufEntry> {
  await cursor.need(12, key);
  const elementType = valueType(cursor, key);
  if (elementType === "arr") cursor.invalid(`metadata "${key}" is an array of arrays`);
  const bytesEach = elementType === "str" ? 8 : SCALAR_BYTES[elementType];
  const length = cursor.count(`the length of "${key}"`, GGUF_LIMITS.arrayElements, bytesEach);
  let elements: GgufElements;
  if (elementType === "str") {
    elements = await readStrings(cursor, key, length, pacer);
  } else {
    await cursor.need(length * bytesEach, key);
    elements = new ScalarElements(
      Buffer.from(cursor.chunk.subarray(cursor.position, cursor.position + length * bytesEach)),
      elementType,
    );
    cursor.position += length * bytesEach;
  }
  return { key, start, end: cursor.offset, type: "arr", elementType, elements };
}

async function readEntry(cursor: Cursor, index: number, pacer: Pacer): Promise<GgufEntry> {
  const start = cursor.offset;
  const key = await readText(cursor, `metadata key ${index}`, GGUF_LIMITS.keyBytes);
  // llama.cpp compares names only up to a NUL byte: text after it would bypass every other check.
  if (key.length === 0 || key.includes("\0"))
    cursor.invalid(
      `metadata key ${index} is ${key.length === 0 ? "empty" : "a name with a NUL byte"}`,
    );
  await cursor.need(4, key);
  const type = valueType(cursor, key);
  if (type === "arr") return readArray(cursor, key, start, pacer);
  if (type === "str") {
    const text = await readText(cursor, `metadata "${key}"`, GGUF_LIMITS.stringBytes);
    return { key, start, end: cursor.offset, type, value: text };
  }
  await cursor.need(SCALAR_BYTES[type], key);
  const value = readScalar(cursor.view, cursor.position, type);
  cursor.position += SCALAR_BYTES[type];
  return { key, start, end: cursor.offset, type, value };
}

async function readTensor(cursor: Cursor, index: number): Promise<GgufTensor> {
  const name = await readText(cursor, `the name of tensor ${index}`, GGUF_LIMITS.tensorNameBytes);
  if (name.includes("\0")) cursor.invalid(`the name of tensor ${index} holds a NUL byte`);
  await cursor.need(4, name);
  const dimensions = cursor.u32();
  if (dimensions > GGUF_LIMITS.dimensions)
    cursor.invalid(
      `tensor "${name}" has ${dimensions} dimensions, more than ${GGUF_LIMITS.dimensions}`,
    );
  await cursor.need(dimensions * 8 + 12, name);
  const shape: number[] = [];
  let values = 1;
  for (let d = 0; d < dimensions; d++) {
    const length = cursor.u64(`dimension ${d} of tensor "${name}"`);
    if (length === 0) cursor.invalid(`tensor "${name}" has a dimension of length 0`);
    shape.push(length);
    values *= length;
  }
  if (!Number.isSafeInteger(values * 8))
    cursor.invalid(`tensor "${name}" of shape ${shape.join(" x ")} has too many values`);
  const typeId = cursor.u32();
  const type =
    ggmlTypeById(typeId) ?? cursor.invalid(`tensor "${name}" has the unknown type ${typeId}`);
  const bytes =
    tensorBytes(type, shape) ??
    cursor.invalid(
      `tensor "${name}" has rows of ${shape[0]} values, no whole blocks of type ${type.name}`,
    );
  return { name, shape, type, offset: cursor.u64(`the offset of tensor "${name}"`), bytes };
}

function readAlignment(cursor: Cursor, entries: ReadonlyMap<string, GgufEntry>): number {
  const entry = entries.get("general.alignment");
  if (entry === undefined) return 32;
  const value = entry.type === "u32" ? (entry.value as number) : 0;
  if (value < 1 || value > GGUF_LIMITS.alignment || (value & (value - 1)) !== 0) {
    cursor.invalid(
      `"general.alignment" is ${entry.type === "arr" ? "an array" : String(entry.value)} (${entry.type}), not a power of two (u32)`,
    );
  }
  return value;
}

/**
 * Reads the header of an open file.
 *
 * @param file - Open for reading; stays open.
 * @throws {R1Error} `NOT_GGUF`, `GGUF_INVALID`, `FILE_TRUNCATED` (the header, not the data),
 * `FILE_UNREADABLE`; the signal's reason if it aborts.
 */
export async function readHeader(
  file: FileHandle,
  path: string,
  fileBytes: number,
  signal?: AbortSignal,
): Promise<GgufHeader> {
  const cursor = new Cursor(file, path, fileBytes);
  const pacer = new Pacer(signal);
  pacer.throwIfAborted();
  await checkMagic(cursor);
  await cursor.need(24, "counts");
  cursor.position = 4;
  const version = cursor.u32();
  if ((version & 0xffff) === 0)
    cursor.invalid(`its version is ${version}: it was written for big-endian machines`);
  if (version < 2 || version > 3)
    cursor.invalid(`its GGUF version is ${version}; versions 2 and 3 can be read`);
  // The smallest tensor needs 8 + 4 + 4 + 8 bytes, the smallest pair 8 + 1 + 4 + 1.
  const tensorCount = cursor.count("the number of tensors", GGUF_LIMITS.tensors, 24);
  const pairCount = cursor.count("the number of metadata pairs", GGUF_LIMITS.pairs, 14);
  const entries = new Map<string, GgufEntry>();
  for (let i = 0; i < pairCount; i++) {
    const entry = await readEntry(cursor, i, pacer);
    if (entries.has(entry.key)) cursor.invalid(`metadata "${entry.key}" occurs twice`);
    entries.set(entry.key, entry);
    if (pacer.isDue()) await pacer.breathe();
  }
  const alignment = readAlignment(cursor, entries);
  const metadataEnd = cursor.offset;
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  let next = 0;
  let last = 0;
  for (let i = 0; i < tensorCount; i++) {
    const tensor = await readTensor(cursor, i);
    if (names.has(tensor.name)) cursor.invalid(`tensor "${tensor.name}" occurs twice`);
    if (tensor.offset !== next)
      cursor.invalid(
        `tensor "${tensor.name}" lies at offset ${tensor.offset}, where ${next} is expected`,
      );
    names.add(tensor.name);
    tensors.push(tensor);
    last = tensor.offset + tensor.bytes;
    next = padTo(last, alignment);
    if (!Number.isSafeInteger(next))
      cursor.invalid(`its tensors take more than ${Number.MAX_SAFE_INTEGER} bytes`);
    if ((i & 63) === 63 && pacer.isDue()) await pacer.breathe();
  }
  const dataOffset = padTo(cursor.offset, alignment);
  return {
    path,
    fileBytes,
    version,
    alignment,
    entries,
    tensors,
    metadataEnd,
    dataOffset,
    dataEnd: tensorCount === 0 ? cursor.offset : dataOffset + last,
  };
}
