// Computes importance matrices and writes them in llama-imatrix's format. The model runs on its own
// thread.
import { availableParallelism } from "node:os";
import { waitOrAbort } from "../base/abort.js";
import type { Complete } from "../base/types.js";
import * as check from "../base/check.js";
import { fromNative, isErrorCode, isR1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { refuseInputs } from "../base/files/same-file.js";
import { AtomicFile, writeAll } from "../base/files/writer.js";
import { progressReporter } from "../base/progress.js";
import { initialize, native } from "../binding/load.js";
import type { NativeImportance } from "../binding/native-quantize.js";
import type { NativeModel } from "../binding/native.js";
import { plainEngine, plainModel, tryBeforeLoading } from "../binding/trial.js";
import { checkModelFiles } from "../gguf/check/check-model.js";
import type { CheckedModel } from "../gguf/check/check-model.js";
import { DEFAULT_ALIGNMENT, encodeHeader, pairText, pairTexts, pairU32 } from "../gguf/encode.js";
import type { GgufTensor } from "../gguf/format.js";
import { GGML_TYPES, type GgmlType } from "../gguf/ggml-types.js";

/** Options of `computeImatrix`. */
export interface ImatrixOptions {
  /** The file to write. It gets its name when it is complete. */
  out: string;
  /**
   * The name of the text in the file, for example its file name; `quantize` copies it into the
   * models it writes.
   * @defaultValue none
   */
  dataset?: string | undefined;
  /**
   * Tokens run through the model at once. Each chunk is a separate text; a shorter rest is dropped.
   * Unit: tokens. Range: 16 .. 1048576.
   * @defaultValue 512
   */
  chunkSize?: number | undefined;
  /**
   * Threads of the model. Range: 0 .. 512; 0: as many as this process may use.
   * @defaultValue 0
   */
  threads?: number | undefined;
  /**
   * Overwrite an existing file.
   * @defaultValue false
   */
  force?: boolean | undefined;
  /**
   * Called with the share of chunks done, 0 to 1; what it throws ends the work and rejects the
   * call.
   */
  onProgress?: ((progress: number) => void) | undefined;
  /** Aborts the work and removes the output. */
  signal?: AbortSignal | undefined;
}

/** The result of `computeImatrix`. */
export interface ImatrixResult {
  /** The file. */
  readonly path: string;
  /** Number of weights with values. */
  readonly tensors: number;
  /** Number of text chunks that ran through the model. */
  readonly chunks: number;
}

const KEYS: readonly (keyof ImatrixOptions)[] = [
  "out",
  "dataset",
  "chunkSize",
  "threads",
  "force",
  "onProgress",
  "signal",
];

type Normal = Readonly<Complete<Omit<ImatrixOptions, "dataset" | "onProgress" | "signal">>> &
  Pick<ImatrixOptions, "dataset" | "onProgress" | "signal">;

function normalize(options: ImatrixOptions): Normal {
  check.knownKeys(check.object(options, "options"), "computeImatrix", KEYS);
  const { dataset, onProgress, signal } = options;
  return Object.freeze({
    out: check.string(options.out, "out"),
    chunkSize: check.integer(options.chunkSize ?? 512, "chunkSize", 16, 1 << 20),
    threads: check.integer(options.threads ?? 0, "threads", 0, 512),
    force: check.boolean(options.force ?? false, "force"),
    ...(dataset === undefined ? {} : { dataset: check.string(dataset, "dataset") }),
    ...(onProgress === undefined
      ? {}
      : { onProgress: check.callback<(progress: number) => void>(onProgress, "onProgress") }),
    ...(signal === undefined ? {} : { signal: check.signal(signal, "signal") }),
  });
}

/**
 * Loads the model on the CPU with the file's layout: weights on a device or repacked weights cannot
 * be measured.
 */
async function load(
  checked: CheckedModel,
  chunkSize: number,
  signal: AbortSignal,
): Promise<NativeModel> {
  const token = native().createCancelToken();
  const config = plainModel(checked.paths);
  const { parts, sizeBytes } = checked;
  const engine = plainEngine(chunkSize);
  const nothing = (): void => undefined;
  await waitOrAbort(
    tryBeforeLoading({ mode: "auto", parts, sizeBytes, model: config, engine }, signal),
    signal,
    nothing,
    nothing,
  );
  return waitOrAbort(
    native().loadModel(config, token, () => undefined),
    signal,
    () => token.cancel(),
    (late) => void late.close(),
  );
}

function tokenize(model: NativeModel, text: string): Int32Array {
  const { addBos, bos } = model.vocab();
  const tokens = model.tokenize(text, true);
  if (!addBos || bos < 0) return tokens;
  const all = new Int32Array(tokens.length + 1);
  all[0] = bos;
  all.set(tokens, 1);
  return all;
}

async function measure(
  model: NativeModel,
  tokens: Int32Array,
  options: Normal,
  signal: AbortSignal,
  report: (share: number) => void,
): Promise<NativeImportance[]> {
  const token = native().createCancelToken();
  const threads = options.threads === 0 ? Math.min(512, availableParallelism()) : options.threads;
  return waitOrAbort(
    native().computeImatrix(
      model,
      { tokens, chunkSize: options.chunkSize, threads },
      token,
      (share) => report(Math.min(0.999, share)),
    ),
    signal,
    () => token.cancel(),
    () => undefined,
  );
}

/** Parts of a file by offset; the gaps are zeros. */
interface Encoded {
  readonly fileBytes: number;
  readonly pieces: readonly { readonly at: number; readonly bytes: Buffer }[];
}

/** Sums and counts follow one another, weight by weight. */
function encode(weights: readonly NativeImportance[], chunks: number, options: Normal): Encoded {
  const f32 = GGML_TYPES[0] as GgmlType;
  const tensor = (
    name: string,
    shape: readonly number[],
    values: Float32Array,
  ): { tensor: GgufTensor; values: Float32Array } => ({
    tensor: { name, shape, type: f32, offset: 0, bytes: values.length * 4 },
    values,
  });
  const all = weights.flatMap(({ name, sums, counts }) => [
    tensor(`${name}.in_sum2`, [sums.length / counts.length, counts.length], sums),
    tensor(`${name}.counts`, [1, counts.length], counts),
  ]);
  const pairs = [
    pairText("general.type", "imatrix"),
    pairTexts("imatrix.datasets", options.dataset === undefined ? [] : [options.dataset]),
    pairU32("imatrix.chunk_count", chunks),
    pairU32("imatrix.chunk_size", options.chunkSize),
  ];
  const header = encodeHeader(
    pairs,
    all.map((one) => one.tensor),
    DEFAULT_ALIGNMENT,
  );
  const data = all.map(({ values }, i) => {
    // Node runs only on little-endian machines, and GGUF is little-endian.
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    return { at: header.offsets[i] ?? 0, bytes };
  });
  return { fileBytes: header.fileBytes, pieces: [{ at: 0, bytes: header.bytes }, ...data] };
}

async function write(file: AtomicFile, { fileBytes, pieces }: Encoded): Promise<void> {
  await file.handle.truncate(fileBytes);
  for (const { at, bytes } of pieces) await writeAll(file.handle, bytes, at);
}

async function work(
  checked: CheckedModel,
  text: string,
  options: Normal,
  file: AtomicFile,
  signal: AbortSignal,
  report: (share: number) => void,
): Promise<ImatrixResult> {
  initialize("disabled");
  const model = await load(checked, options.chunkSize, signal);
  try {
    const tokens = tokenize(model, text);
    const weights = await measure(model, tokens, options, signal, report);
    const chunks = Math.floor(tokens.length / options.chunkSize);
    await write(file, encode(weights, chunks, options));
    signal.throwIfAborted();
    await file.finish();
    return { path: options.out, tensors: weights.length, chunks };
  } finally {
    await model.close();
  }
}

/**
 * Computes an importance matrix: runs a text through a model, on the CPU, and writes how strongly
 * each input of each weight is used, in llama-imatrix's GGUF format. Pass the file to `quantize` as
 * `imatrix`.
 *
 * The text should resemble what the quantised model will read and write; special strings in it
 * become special tokens. Tokenising blocks the event loop once, for about 0.1 s per megabyte. The
 * rest runs on another thread; an abort returns within 250 ms, and the thread ends after its
 * current chunk.
 *
 * @param model - A model file, preferably with f16 or bf16 weights, or the first part of a split
 * one.
 * @param text - The text itself; at least `chunkSize` tokens.
 * @throws {R1Error} like `checkModelFiles`; `INVALID_ARGUMENT` (also if the text is shorter than a
 * chunk), `UNKNOWN_OPTION`, `FILE_EXISTS`, `FILE_NOT_FOUND`, `NO_SPACE`, `IO_FAILED`,
 * `MODEL_LOAD_FAILED`, `OUT_OF_MEMORY`, `DECODE_FAILED`, `ADDON_MISSING`; the signal's reason.
 *
 * @example
 * ```ts
 * await computeImatrix("R1-BF16-00001-of-00030.gguf", await readFile("calibration.txt", "utf8"), {
 * out: "imatrix.gguf", onProgress: console.log });
 * await quantize("R1-BF16-00001-of-00030.gguf", "R1-IQ1_S.gguf", { recipe: "UD-IQ1_S", imatrix:
 * "imatrix.gguf" });
 * ```
 */
export async function computeImatrix(
  model: string,
  text: string,
  options: ImatrixOptions,
): Promise<ImatrixResult> {
  const site = new Error();
  check.filePath(model, "model");
  check.string(text, "text");
  const normal = normalize(options);
  normal.signal?.throwIfAborted();
  // An error thrown by a user's callback ends the work like an abort.
  const failed = new AbortController();
  const signal =
    normal.signal === undefined ? failed.signal : AbortSignal.any([normal.signal, failed.signal]);
  const report = progressReporter(normal.onProgress, (error) => failed.abort(error));
  const checked = await checkModelFiles(model, { signal });
  await refuseInputs([normal.out], checked.paths, "out");
  const file = await AtomicFile.create(normal.out, { force: normal.force });
  try {
    const result = await work(checked, text, normal, file, signal, report);
    report(1);
    failed.signal.throwIfAborted();
    return result;
  } catch (error) {
    if (isR1Error(error) || (signal.aborted && error === signal.reason)) throw error;
    if (isErrorCode((error as { code?: unknown } | null)?.code)) throw fromNative(error, site);
    throw fileFailure(error, normal.out, "written");
  } finally {
    await file.discard();
  }
}
