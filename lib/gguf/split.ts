// Splits a model file into parts, streaming. The result is byte for byte what llama-gguf-split
// writes. Asynchronous.
import { dirname } from "node:path";
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { lockSet, publishSet } from "../base/files/file-set.js";
import { refuseInputs } from "../base/files/same-file.js";
import { checkSpace } from "../base/files/space.js";
import { AtomicFile, refuseExisting } from "../base/files/writer.js";
import { DEFAULT_ALIGNMENT, pairI32, pairU16 } from "./encode.js";
import type { GgufHeader, GgufTensor } from "./format.js";
import { padTo } from "./header.js";
import { readGgufFile } from "./open-file.js";
import { checkLength, SPLIT_KEYS, shardPath, splitValue } from "./shards.js";
import { plannedBytes, progressCopier, rawPairs, writePlan, type FilePlan } from "./write-model.js";

/** Options of {@link splitGguf}. */
export interface SplitOptions {
  /**
   * Maximum bytes of tensors per part; a larger tensor gets a part of its own. Cannot be combined
   * with `maxTensors`.
   */
  maxSize?: number | undefined;
  /**
   * Maximum tensors per part.
   * @defaultValue 128, unless `maxSize` is given
   */
  maxTensors?: number | undefined;
  /**
   * The first part contains only the metadata.
   * @defaultValue false
   */
  noTensorFirst?: boolean | undefined;
  /**
   * Overwrite existing output files.
   * @defaultValue false
   */
  force?: boolean | undefined;
  /** Called with the share done, 0 to 1, at most once per frame. */
  onProgress?: ((progress: number) => void) | undefined;
  /** Aborts the split and removes the output. */
  signal?: AbortSignal | undefined;
}

/** What a split wrote. */
export interface SplitResult {
  /** The parts, in order. */
  readonly paths: readonly string[];
  /** Bytes of all parts. */
  readonly bytes: number;
  /** Number of tensors in all parts. */
  readonly tensors: number;
}

interface Limits {
  readonly maxSize: number | undefined;
  readonly maxTensors: number;
  readonly noTensorFirst: boolean;
}

function readOptions(
  options: SplitOptions,
): Limits & { force: boolean; signal: AbortSignal | undefined } {
  check.knownKeys(check.object(options, "options"), "splitGguf", [
    "maxSize",
    "maxTensors",
    "noTensorFirst",
    "force",
    "onProgress",
    "signal",
  ]);
  if (options.onProgress !== undefined) check.callback(options.onProgress, "onProgress");
  if (options.maxSize !== undefined && options.maxTensors !== undefined)
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`maxSize` and `maxTensors` exclude each other. Give one of them.",
      { details: { option: "maxTensors" } },
    );
  return {
    maxSize:
      options.maxSize === undefined
        ? undefined
        : check.integer(options.maxSize, "maxSize", 1, Number.MAX_SAFE_INTEGER),
    maxTensors: check.integer(options.maxTensors ?? 128, "maxTensors", 1, 65_536),
    noTensorFirst: check.boolean(options.noTensorFirst ?? false, "noTensorFirst"),
    force: check.boolean(options.force ?? false, "force"),
    signal: options.signal === undefined ? undefined : check.signal(options.signal, "signal"),
  };
}

/** Assigns tensors to parts by llama-gguf-split's rule. */
function shareOut(header: GgufHeader, limits: Limits): GgufTensor[][] {
  const parts: GgufTensor[][] = limits.noTensorFirst ? [[], []] : [[]];
  let bytes = 0;
  for (const [i, tensor] of header.tensors.entries()) {
    const own = padTo(tensor.bytes, DEFAULT_ALIGNMENT);
    const isNext =
      limits.maxSize === undefined
        ? i > 0 && i % limits.maxTensors === 0
        : bytes + own > limits.maxSize && (parts.at(-1)?.length ?? 0) > 0;
    if (isNext) {
      parts.push([]);
      bytes = 0;
    }
    bytes += own;
    parts.at(-1)?.push(tensor);
  }
  return parts;
}

async function planParts(header: GgufHeader, limits: Limits): Promise<FilePlan[]> {
  const shares = shareOut(header, limits);
  if (shares.length > 65_535)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `That would make ${shares.length} parts; 65,535 are the most. Choose larger parts.`,
    );
  const inherited = await rawPairs(header, Object.values(SPLIT_KEYS));
  return shares.map((share, i) => ({
    pairs: [
      ...(i === 0 ? inherited : []),
      pairU16(SPLIT_KEYS.no, i),
      pairI32(SPLIT_KEYS.tensors, header.tensors.length),
      pairU16(SPLIT_KEYS.count, shares.length),
    ],
    tensors: share.map((tensor) => ({ tensor, source: header })),
    // Later parts have no metadata of the model, so they use the default alignment.
    alignment: i === 0 ? header.alignment : DEFAULT_ALIGNMENT,
  }));
}

/**
 * Splits a model file into parts, with the same bytes as `llama-gguf-split --split`.
 *
 * @param path - The file; it must not be a part of a split model itself.
 * @param prefix - The parts are `<prefix>-00001-of-0000N.gguf` and so on. They get these names when
 * all are complete, the first one last.
 * @throws {R1Error} like `checkModelFiles` on the file; `SHARD_INVALID` if it is a part itself;
 * `FILE_EXISTS`, `NO_SPACE` (checked before writing), `IO_FAILED`, `INVALID_ARGUMENT`,
 * `UNKNOWN_OPTION`; the signal's reason.
 */
export async function splitGguf(
  path: string,
  prefix: string,
  options: SplitOptions = {},
): Promise<SplitResult> {
  check.filePath(path, "path");
  check.filePath(prefix, "prefix");
  const { force, signal, ...limits } = readOptions(options);
  signal?.throwIfAborted();
  const header = await readGgufFile(path, signal);
  checkLength(header);
  if ((splitValue(header, "count") ?? 0) > 1) {
    throw new R1Error(
      "SHARD_INVALID",
      `"${path}" is itself a part of a split model. Merge the parts first.`,
      { details: { path } },
    );
  }
  const plans = await planParts(header, limits);
  const paths = plans.map((_, i) => shardPath(prefix, i + 1, plans.length));
  await refuseInputs(paths, [path], "prefix");
  if (!force) for (const part of paths) await refuseExisting(part);
  const bytes = plans.reduce((sum, plan) => sum + plannedBytes(plan), 0);
  await checkSpace(dirname(prefix), bytes);
  const release = await lockSet(paths);
  try {
    await writeParts(plans, paths, force, signal, options.onProgress);
  } finally {
    await release();
  }
  return { paths, bytes, tensors: header.tensors.length };
}

async function writeParts(
  plans: readonly FilePlan[],
  paths: readonly string[],
  force: boolean,
  signal: AbortSignal | undefined,
  onProgress: SplitOptions["onProgress"],
): Promise<void> {
  const { copier, finish } = progressCopier(plans, onProgress, signal);
  const files: AtomicFile[] = [];
  try {
    for (const [i, plan] of plans.entries()) {
      const file = await AtomicFile.create(paths[i] ?? "", { force });
      files.push(file);
      await writePlan(plan, file, copier);
      await file.close();
    }
    signal?.throwIfAborted();
    await publishSet(
      files.map((file) => ({ path: file.path, finish: () => file.finish() })),
      force,
    );
  } finally {
    for (const file of files) await file.discard();
  }
  finish();
}
