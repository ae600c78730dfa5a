// Reads importance matrices, in llama.cpp's GGUF format and its older binary format. Asynchronous.
import type { FileHandle } from "node:fs/promises";
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { readExactly } from "../base/files/read.js";
import { readHeader } from "../gguf/header.js";
import { withFile } from "../gguf/open-file.js";
import { Pacer } from "../gguf/pacer.js";

/** The importance of each input of each matrix: mean squares of activations. */
export interface Imatrix {
  /** Values by tensor name: one per input, expert after expert. */
  readonly entries: ReadonlyMap<string, Float32Array>;
  /** Texts it was computed on, if the file names them. */
  readonly datasets: readonly string[];
  /** Chunks of text it was computed on; 0 if the file does not specify it. */
  readonly chunks: number;
}

const MAX_ENTRIES = 65_536;
const MAX_VALUES = 64 * 1024 * 1024;

function invalid(path: string, what: string): R1Error {
  return new R1Error(
    "GGUF_INVALID",
    `"${path}" is not a valid importance matrix: ${what}. Make it again with llama-imatrix or computeImatrix.`,
    {
      details: { path },
    },
  );
}

async function readBytes(
  file: FileHandle,
  path: string,
  offset: number,
  bytes: number,
  size: number,
): Promise<Buffer> {
  if (offset + bytes > size) {
    throw new R1Error(
      "FILE_TRUNCATED",
      `"${path}" ends before its data does: it is ${size} bytes long. Copy it again.`,
      {
        details: { path, fileBytes: size },
      },
    );
  }
  // A new allocation: its floats are used in place and need an aligned buffer.
  const buffer = Buffer.from(new ArrayBuffer(bytes));
  await readExactly(file, path, buffer, offset);
  return buffer;
}

/**
 * Returns the floats in bytes read by {@link readBytes}; Node runs only on little-endian machines.
 */
function floats(bytes: Buffer): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Values processed between two checks of the clock: less than a millisecond. */
const SLICE = 256 * 1024;

/**
 * Divides sums by counts, group by group, and checks that the means are finite. A group that no
 * token reached gets equal weights. Pauses for the event loop: the largest model has 240 million
 * values.
 */
async function toMeans(
  path: string,
  name: string,
  sums: Float32Array,
  counts: Float32Array,
  pacer: Pacer,
): Promise<void> {
  const each = sums.length / counts.length;
  for (let start = 0; start < sums.length; start += SLICE) {
    const end = Math.min(sums.length, start + SLICE);
    let isFinite = true;
    for (let i = start; i < end;) {
      const group = Math.floor(i / each);
      const last = Math.min(end, (group + 1) * each);
      const count = Math.round(counts[group] as number);
      for (; i < last; i++) {
        const mean = count > 0 ? (sums[i] as number) / count : 1;
        isFinite &&= Number.isFinite(mean);
        sums[i] = mean;
      }
    }
    if (!isFinite) throw invalid(path, `its values for "${name}" are not all numbers`);
    if (pacer.isDue()) await pacer.breathe();
  }
}

async function readGgufImatrix(file: FileHandle, path: string, size: number): Promise<Imatrix> {
  const header = await readHeader(file, path, size);
  const pacer = new Pacer();
  const sums = new Map(
    header.tensors
      .filter(({ name }) => name.endsWith(".in_sum2"))
      .map((tensor) => [tensor.name.slice(0, -8), tensor]),
  );
  const counts = new Map(
    header.tensors
      .filter(({ name }) => name.endsWith(".counts"))
      .map((tensor) => [tensor.name.slice(0, -7), tensor]),
  );
  if (sums.size === 0) throw invalid(path, "it holds no sums (tensors named ...in_sum2)");
  const entries = new Map<string, Float32Array>();
  for (const [name, sum] of sums) {
    const count = counts.get(name);
    if (count === undefined) throw invalid(path, `"${name}" has sums but no counts`);
    if (sum.type.name !== "f32" || count.type.name !== "f32")
      throw invalid(path, `sums or counts of "${name}" are not f32`);
    if (sum.bytes > MAX_VALUES * 4 || count.bytes > sum.bytes || sum.bytes % count.bytes !== 0)
      throw invalid(path, `sums and counts of "${name}" do not fit together`);
    const values = floats(
      await readBytes(file, path, header.dataOffset + sum.offset, sum.bytes, size),
    );
    const tokens = floats(
      await readBytes(file, path, header.dataOffset + count.offset, count.bytes, size),
    );
    await toMeans(path, name, values, tokens, pacer);
    entries.set(name, values);
  }
  const datasets = header.entries.get("imatrix.datasets");
  const chunks = header.entries.get("imatrix.chunk_count");
  const names =
    datasets?.type === "arr"
      ? Array.from({ length: datasets.elements.length }, (_, i) => String(datasets.elements.at(i)))
      : [];
  return {
    entries,
    datasets: names,
    chunks: chunks?.type === "u32" ? (chunks.value as number) : 0,
  };
}

async function readLegacyImatrix(file: FileHandle, path: string, size: number): Promise<Imatrix> {
  let offset = 0;
  const pacer = new Pacer();
  const next = async (bytes: number): Promise<Buffer> => {
    const buffer = await readBytes(file, path, offset, bytes, size);
    offset += bytes;
    return buffer;
  };
  const int = async (): Promise<number> => (await next(4)).readInt32LE(0);
  const count = size < 4 ? 0 : await int();
  if (count < 1 || count > MAX_ENTRIES)
    throw invalid(path, "it is neither a GGUF file nor one of the older format");
  const entries = new Map<string, Float32Array>();
  for (let i = 0; i < count; i++) {
    const nameBytes = await int();
    if (nameBytes < 1 || nameBytes > 1024)
      throw invalid(path, `the name of entry ${i} is ${nameBytes} bytes long`);
    const name = (await next(nameBytes)).toString("utf8");
    const calls = await int();
    const values = await int();
    if (values < 1 || values > MAX_VALUES) throw invalid(path, `"${name}" has ${values} values`);
    const sums = floats(await next(values * 4));
    await toMeans(path, name, sums, Float32Array.of(calls > 0 ? calls : 1), pacer);
    entries.set(name, sums);
  }
  const chunks = offset + 4 <= size ? await int() : 0;
  const datasets: string[] = [];
  if (offset + 4 <= size) {
    const bytes = await int();
    if (bytes > 0 && offset + bytes <= size) datasets.push((await next(bytes)).toString("utf8"));
  }
  return { entries, datasets, chunks };
}

/**
 * Reads an importance matrix.
 *
 * @param path - A file of `llama-imatrix` or `computeImatrix`.
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_IS_DIRECTORY`, `FILE_EMPTY`, `FILE_UNREADABLE`,
 * `FILE_TRUNCATED`, `GGUF_INVALID`.
 */
export async function readImatrix(path: string): Promise<Imatrix> {
  check.filePath(path, "path");
  return withFile(path, async (file, size) => {
    const magic = size < 4 ? "" : (await readBytes(file, path, 0, 4, size)).toString("latin1");
    return magic === "GGUF"
      ? readGgufImatrix(file, path, size)
      : readLegacyImatrix(file, path, size);
  });
}
