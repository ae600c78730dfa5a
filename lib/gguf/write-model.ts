// Writes one GGUF file from tensors stored in other files: shared by merging, splitting and fixing.
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { progressReporter } from "../base/progress.js";
import { fileFailure } from "../base/files/failure.js";
import { readExactly } from "../base/files/read.js";
import { checkSpace } from "../base/files/space.js";
import { AtomicFile, writeAll } from "../base/files/writer.js";
import { Copier } from "./copy-range.js";
import { encodeHeader } from "./encode.js";
import type { GgufHeader, GgufTensor } from "./format.js";

/** A tensor and the file that contains it. */
export interface PlacedTensor {
  readonly tensor: GgufTensor;
  readonly source: GgufHeader;
}

/** The contents of a file to write. */
export interface FilePlan {
  readonly pairs: readonly Buffer[];
  readonly tensors: readonly PlacedTensor[];
  readonly alignment: number;
}

/** Returns the size of a planned file, in bytes. */
export function plannedBytes(plan: FilePlan): number {
  return encodeHeader(plan.pairs, tensorsOf(plan), plan.alignment).fileBytes;
}

function tensorsOf(plan: FilePlan): GgufTensor[] {
  return plan.tensors.map(({ tensor }) => tensor);
}

/** Reads the encoded metadata pairs of a file, except those named. */
export async function rawPairs(header: GgufHeader, without: readonly string[]): Promise<Buffer[]> {
  const file = await open(header.path, "r");
  try {
    const bytes = Buffer.alloc(header.metadataEnd);
    await readExactly(file, header.path, bytes, 0);
    return [...header.entries.values()]
      .filter(({ key }) => !without.includes(key))
      .map(({ start, end }) => bytes.subarray(start, end));
  } finally {
    await file.close();
  }
}

/** Copies neighbouring tensors of the same source together. */
async function copyTensors(
  plan: FilePlan,
  offsets: readonly number[],
  target: AtomicFile,
  copier: Copier,
): Promise<void> {
  let path: string | undefined;
  let from: FileHandle | undefined;
  try {
    for (const [i, { tensor, source }] of plan.tensors.entries()) {
      if (source.path !== path || from === undefined) {
        await from?.close();
        from = await open(source.path, "r");
        path = source.path;
      }
      await copier.copy({
        from,
        fromPath: source.path,
        fromOffset: source.dataOffset + tensor.offset,
        to: target.handle,
        toPath: target.path,
        toOffset: offsets[i] ?? 0,
        bytes: tensor.bytes,
      });
    }
  } finally {
    await from?.close();
  }
}

/**
 * Writes a planned file: the data first, the header last. If the process is killed, the incomplete
 * file is therefore not a GGUF file, even under its temporary name.
 *
 * @throws {R1Error} `NO_SPACE`, `IO_FAILED`, `FILE_TRUNCATED`, `FILE_UNREADABLE`; the signal's
 * reason.
 */
export async function writePlan(plan: FilePlan, target: AtomicFile, copier: Copier): Promise<void> {
  const header = encodeHeader(plan.pairs, tensorsOf(plan), plan.alignment);
  try {
    await target.handle.truncate(header.fileBytes);
    await copyTensors(plan, header.offsets, target, copier);
    await writeAll(target.handle, header.bytes, 0);
  } catch (error) {
    throw fileFailure(error, target.path, "written");
  }
}

/**
 * Creates a copier that reports the share of the plans' data copied so far to a user's callback;
 * `finish` reports 1, once the files have their names.
 *
 * @param onProgress - What it throws ends the copy and is rethrown.
 */
export function progressCopier(
  plans: readonly FilePlan[],
  onProgress: ((progress: number) => void) | undefined,
  signal: AbortSignal | undefined,
): { copier: Copier; finish: () => void } {
  const total = plans.reduce(
    (sum, plan) => sum + plan.tensors.reduce((bytes, { tensor }) => bytes + tensor.bytes, 0),
    0,
  );
  let done = 0;
  let failure: Error | undefined;
  const report = progressReporter(
    onProgress,
    (error) => (failure = error instanceof Error ? error : new Error(String(error))),
  );
  const copier = new Copier(signal, (bytes) => {
    done += bytes;
    report(Math.min(0.999, done / Math.max(1, total)));
    if (failure !== undefined) throw failure;
  });
  return { copier, finish: () => report(1) };
}

/** How {@link writeModel} writes. */
interface WriteOptions {
  readonly force: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: number) => void) | undefined;
}

/**
 * Writes one file; it gets its name when it is complete.
 *
 * @returns Its size in bytes.
 * @throws {R1Error} like {@link writePlan}; `NO_SPACE` before anything is written, `FILE_EXISTS`
 * without `force`.
 */
export async function writeModel(
  plan: FilePlan,
  out: string,
  { force, signal, onProgress }: WriteOptions,
): Promise<number> {
  const bytes = plannedBytes(plan);
  await checkSpace(dirname(out), bytes);
  const { copier, finish } = progressCopier([plan], onProgress, signal);
  const file = await AtomicFile.create(out, { force });
  try {
    await writePlan(plan, file, copier);
    signal?.throwIfAborted();
    await file.finish();
  } finally {
    await file.discard();
  }
  finish();
  return bytes;
}
