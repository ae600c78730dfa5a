// Quantises models with llama.cpp's own quantiser, in a process of its own. Runs on the calling JavaScript thread; all waits are asynchronous.
import { rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { progressReporter } from "../base/progress.js";
import type { NativeMetadataOverride } from "../binding/native.js";
import {
  checkSpace,
  partialPath,
  publish,
  refuseExisting,
  removeStale,
  writeError,
} from "./atomic-file.js";
import { checkModelFiles, type CheckedModel } from "./check-model.js";
import type { GgufHeader } from "./format.js";
import { readImatrix, type Imatrix } from "./imatrix.js";
import {
  normalizeQuantizeOptions,
  type NormalQuantizeOptions,
  type QuantizeOptions,
} from "./quantize-options.js";
import {
  checkImatrix,
  planFromLog,
  plannedFileBytes,
  refuseRequantizing,
  TensorLog,
  type TensorPlan,
} from "./quantize-plan.js";
import { runQuantizeJob } from "./quantize-process.js";
import type { QuantizeJob } from "./quantize-child.js";
import { expandRecipe, RECIPES } from "./recipes.js";
import { readAllParts, shardPath } from "./shards.js";

/** What quantising wrote, or in a dry run would write. */
export interface QuantizeResult {
  /** The files; empty in a dry run. */
  readonly paths: readonly string[];
  /** Bytes of the result: of the files, or in a dry run as planned (exact but for a few hundred bytes of metadata). */
  readonly bytes: number;
  /** Bytes of the input. */
  readonly inputBytes: number;
  /** Bits for each weight, over all tensors. */
  readonly bitsPerWeight: number;
  /** Every tensor, with its type before and after. */
  readonly tensors: readonly TensorPlan[];
}

interface Task {
  readonly output: string;
  readonly options: NormalQuantizeOptions;
  readonly onLog: (line: string) => void;
  readonly headers: readonly GgufHeader[];
  readonly job: (output: string, dryRun: boolean, partial: readonly string[]) => QuantizeJob;
}

/** What llama-quantize writes into the file about the importance matrix. */
function imatrixMetadata(path: string, imatrix: Imatrix): NativeMetadataOverride[] {
  const dataset = imatrix.datasets[0];
  const text = (key: string, value: string): NativeMetadataOverride => ({
    key,
    kind: "string",
    value: Buffer.from(value).subarray(0, 127).toString("utf8"),
  });
  return [
    text("quantize.imatrix.file", path),
    ...(dataset === undefined ? [] : [text("quantize.imatrix.dataset", dataset)]),
    { key: "quantize.imatrix.entries_count", kind: "int", value: imatrix.entries.size },
    ...(imatrix.chunks > 0
      ? [{ key: "quantize.imatrix.chunks_count", kind: "int" as const, value: imatrix.chunks }]
      : []),
  ];
}

function makeJob(
  input: string,
  model: CheckedModel,
  options: NormalQuantizeOptions,
  imatrix: Imatrix | undefined,
): Task["job"] {
  const recipe = options.recipe === undefined ? undefined : RECIPES[options.recipe];
  if (recipe !== undefined && model.expertCount === 0)
    check.refuse(
      "recipe",
      "no recipe for a model without experts (give a type instead)",
      options.recipe,
    );
  const expanded =
    recipe === undefined ? undefined : expandRecipe(recipe, model.leadingDenseBlockCount);
  const type = options.type ?? expanded?.type ?? "Q4_K_M";
  return (output, dryRun, partial) => ({
    config: {
      input,
      output,
      type,
      threads: options.threads,
      outputTensorType: options.outputTensorType || (expanded?.outputTensorType ?? ""),
      tokenEmbeddingType: options.tokenEmbeddingType || (expanded?.tokenEmbeddingType ?? ""),
      allowRequantize: options.allowRequantize,
      quantizeOutputTensor: options.quantizeOutputTensor,
      onlyCopy: false,
      pure: options.pure,
      keepSplit: options.keepSplit,
      dryRun,
      tensorTypes: [...options.tensorTypes, ...(expanded?.tensorTypes ?? [])].map(
        ({ pattern, type: to }) => ({ pattern, type: to }),
      ),
      metadataOverrides:
        options.imatrix === undefined || imatrix === undefined
          ? []
          : imatrixMetadata(options.imatrix, imatrix),
    },
    imatrix: dryRun ? null : (options.imatrix ?? null),
    partial,
  });
}

async function dryRun(task: Task): Promise<TensorPlan[]> {
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
    task.onLog(line);
  };
  await runQuantizeJob(task.job(task.output, true, []), {
    onLine,
    signal: task.options.signal,
    finish: () => Promise.resolve(),
  });
  return planFromLog(lines, task.headers);
}

/** Final and temporary names of the files; with `keepSplit`, one of each a part. */
function outputNames(task: Task): { paths: string[]; partials: string[]; target: string } {
  if (!task.options.keepSplit)
    return {
      paths: [task.output],
      partials: [partialPath(task.output)],
      target: partialPath(task.output),
    };
  // As llama-quantize does: the prefix may be given as a file name.
  const prefix = task.output.replace(/\.gguf$/, "");
  const target = partialPath(prefix);
  const count = task.headers.length;
  const names = (prefix: string): string[] =>
    task.headers.map((_, i) => shardPath(prefix, i + 1, count));
  return { paths: names(prefix), partials: names(target), target };
}

async function writeFiles(
  task: Task,
  plans: readonly TensorPlan[],
  onProgress: (progress: number) => void,
): Promise<string[]> {
  const { paths, partials, target } = outputNames(task);
  const { force, signal } = task.options;
  if (!force) for (const path of paths) await refuseExisting(path);
  for (const path of paths) await removeStale(path);
  await checkSpace(dirname(task.output), plannedFileBytes(plans, task.headers));
  const weights = new Map(plans.map(({ name, shape }) => [name, shape.reduce((a, b) => a * b, 1)]));
  const total = [...weights.values()].reduce((a, b) => a + b, 0);
  let done = 0;
  const log = new TensorLog();
  try {
    const watch = (line: string): void => {
      task.onLog(line);
      const told = log.take(line);
      done += told === undefined ? 0 : (weights.get(told.name) ?? 0);
      onProgress(Math.min(0.999, done / Math.max(1, total)));
    };
    const finish = async (): Promise<void> => {
      if (force) await rm(paths[0] ?? "", { force: true });
      // The first part is what people load; it comes last.
      for (let i = paths.length - 1; i >= 0; i--)
        await publish(partials[i] ?? "", paths[i] ?? "", force);
    };
    await runQuantizeJob(task.job(target, false, partials), { onLine: watch, signal, finish });
  } catch (error) {
    throw writeError(task.output, error);
  } finally {
    for (const partial of partials) await rm(partial, { force: true });
  }
  return paths;
}

/**
 * Quantises a model with llama.cpp's quantiser, in a process of its own: an abort inside llama.cpp is an error here, and a signal ends it at once.
 *
 * @param input - A model file of f32, f16 or bf16 weights (others with `allowRequantize`), or the first part of a split one.
 * @param output - The file to write (with `keepSplit`, the prefix of the parts). It gets its name when it is whole; not used in a dry run.
 * @throws {R1Error} as `checkModelFiles` and `readImatrix`; `INVALID_ARGUMENT` (also when a type needs an importance matrix that is not there, or the input is quantised and `allowRequantize` is not set), `UNKNOWN_OPTION`,
 * `FILE_EXISTS`, `NO_SPACE` (asked before writing), `QUANTIZE_FAILED`, `CHILD_CRASHED`, `ADDON_MISSING`; the signal's reason.
 *
 * @example
 * ```ts
 * await quantize("DeepSeek-R1-BF16-00001-of-00030.gguf", "R1-IQ1_S.gguf", { recipe: "UD-IQ1_S", imatrix: "imatrix.gguf", onProgress: console.log });
 * ```
 */
export async function quantize(
  input: string,
  output: string,
  options: QuantizeOptions,
): Promise<QuantizeResult> {
  check.string(input, "input");
  check.string(output, "output");
  const normal = normalizeQuantizeOptions(options);
  normal.signal?.throwIfAborted();
  const model = await checkModelFiles(
    input,
    normal.signal === undefined ? {} : { signal: normal.signal },
  );
  if (model.paths.some((path) => resolve(path) === resolve(output)))
    check.refuse("output", "another file than the input", output);
  const imatrix = normal.imatrix === undefined ? undefined : await readImatrix(normal.imatrix);
  const headers = await readAllParts(input, normal.signal);
  let failure: Error | undefined;
  const report = progressReporter(
    options.onProgress,
    (error) => (failure = error instanceof Error ? error : new Error(String(error))),
  );
  const onLog = options.onLog ?? ((): void => undefined);
  const task: Task = {
    output,
    options: normal,
    onLog,
    headers,
    job: makeJob(input, model, normal, imatrix),
  };
  const plans = await dryRun(task);
  if (!normal.dryRun || imatrix !== undefined) checkImatrix(plans, imatrix);
  if (!normal.dryRun && !normal.allowRequantize) refuseRequantizing(plans);
  const paths = normal.dryRun
    ? []
    : await writeFiles(task, plans, (progress) => {
        report(progress);
        if (failure !== undefined) throw failure;
      });
  const bytes = normal.dryRun ? plannedFileBytes(plans, headers) : await sizeOf(paths);
  const weights = plans.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  report(1);
  return {
    paths,
    bytes,
    inputBytes: model.sizeBytes,
    bitsPerWeight: (plans.reduce((sum, plan) => sum + plan.bytes, 0) * 8) / weights,
    tensors: plans,
  };
}

async function sizeOf(paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) {
    const facts = await stat(path).catch((error: unknown) => {
      throw new R1Error(
        "IO_FAILED",
        `"${path}" was written but cannot be looked at: ${(error as Error).message}.`,
        { cause: error, details: { path } },
      );
    });
    bytes += facts.size;
  }
  return bytes;
}
