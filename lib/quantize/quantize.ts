// Quantises models with llama.cpp's own quantiser, in a child process. Asynchronous.
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { lockSet, publishSet } from "../base/files/file-set.js";
import { refuseInputs } from "../base/files/same-file.js";
import { checkSpace } from "../base/files/space.js";
import { createTemporaryFolder, removeStale, removeTemporary } from "../base/files/temporary.js";
import { AtomicFile, publish, refuseExisting } from "../base/files/writer.js";
import { progressReporter } from "../base/progress.js";
import { resolvePatterns } from "../base/tensor-patterns.js";
import type { NativeMetadataOverride } from "../binding/native-quantize.js";
import { checkModelFiles, type CheckedModel } from "../gguf/check/check-model.js";
import type { GgufHeader } from "../gguf/format.js";
import { readImatrix, type Imatrix } from "./imatrix.js";
import {
  normalizeQuantizeOptions,
  type NormalQuantizeOptions,
  type QuantizeOptions,
} from "./options.js";
import {
  checkImatrix,
  planFromLog,
  plannedFileBytes,
  refuseRequantizing,
  TensorLog,
  type TensorPlan,
} from "./tensor-plan.js";
import { runQuantizeJob } from "./quantize-process.js";
import type { QuantizeJob } from "./quantize-child.js";
import { expandRecipe, RECIPES, type TensorTypeRule } from "./recipes.js";
import { readAllParts, shardPath } from "../gguf/shards.js";

/** The result of quantising, or the expected result in a dry run. */
export interface QuantizeResult {
  /** The files; empty in a dry run. */
  readonly paths: readonly string[];
  /**
   * Bytes of the result: of the files, or as planned in a dry run (exact except for a few hundred
   * bytes of metadata).
   */
  readonly bytes: number;
  /** Bytes of the input. */
  readonly inputBytes: number;
  /** Bits per weight, over all tensors. */
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

/** Returns the rules in the form that llama.cpp gets: names from the file only. */
async function tensorRules(
  headers: readonly GgufHeader[],
  rules: readonly TensorTypeRule[],
  signal: AbortSignal | undefined,
): Promise<{ pattern: string; type: string }[]> {
  const names = headers.flatMap(({ tensors }) => tensors.map(({ name }) => name));
  const resolved = await resolvePatterns(names, rules, "tensorTypes", signal);
  return resolved.flatMap(({ rule: { type }, patterns }) =>
    patterns.map((pattern) => ({ pattern, type })),
  );
}

async function makeJob(
  input: string,
  model: CheckedModel,
  headers: readonly GgufHeader[],
  options: NormalQuantizeOptions,
  imatrix: Imatrix | undefined,
): Promise<Task["job"]> {
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
  const rules = [...options.tensorTypes, ...(expanded?.tensorTypes ?? [])];
  const tensorTypes = await tensorRules(headers, rules, options.signal);
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
      tensorTypes,
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

/**
 * Returns the names of the output files. With `keepSplit` there is one per part, and the prefix may
 * be a file name, like for llama-quantize.
 */
function outputPaths({
  output,
  options,
  headers,
}: Pick<Task, "output" | "options" | "headers">): string[] {
  if (!options.keepSplit) return [output];
  const prefix = output.replace(/\.gguf$/, "");
  return headers.map((_, i) => shardPath(prefix, i + 1, headers.length));
}

/** Where a job writes, and how its output gets its name. */
interface Destination {
  /** The output, or the prefix of the outputs, that the job receives. */
  readonly target: string;
  /** What the child removes if this process dies. */
  readonly partials: readonly string[];
  readonly finish: () => Promise<void>;
  readonly discard: () => Promise<void>;
}

async function openFile(path: string, force: boolean): Promise<Destination> {
  const file = await AtomicFile.create(path, { force });
  return {
    target: file.temporary,
    partials: [file.temporary],
    finish: () => file.finish(),
    discard: () => file.discard(),
  };
}

async function openParts(paths: readonly string[], force: boolean): Promise<Destination> {
  const release = await lockSet(paths);
  try {
    const [first = ""] = paths;
    await removeStale(first);
    const folder = await createTemporaryFolder(first);
    const parts = paths.map((path, i) => ({
      path,
      finish: () => publish(shardPath(join(folder, "part"), i + 1, paths.length), path, force),
    }));
    return {
      target: join(folder, "part"),
      partials: [folder],
      finish: () => publishSet(parts, force),
      discard: async () => {
        await removeTemporary(folder);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function writeFiles(
  task: Task,
  plans: readonly TensorPlan[],
  onProgress: (progress: number) => void,
): Promise<string[]> {
  const paths = outputPaths(task);
  const { force, signal, keepSplit } = task.options;
  if (!force) for (const path of paths) await refuseExisting(path);
  await checkSpace(dirname(task.output), plannedFileBytes(plans, task.headers));
  const weights = new Map(plans.map(({ name, shape }) => [name, shape.reduce((a, b) => a * b, 1)]));
  const total = [...weights.values()].reduce((a, b) => a + b, 0);
  let done = 0;
  const log = new TensorLog();
  let destination: Destination | undefined;
  try {
    const open = keepSplit ? openParts(paths, force) : openFile(task.output, force);
    const { target, partials, finish } = (destination = await open);
    const watch = (line: string): void => {
      task.onLog(line);
      const tensor = log.take(line);
      done += tensor === undefined ? 0 : (weights.get(tensor.name) ?? 0);
      onProgress(Math.min(0.999, done / Math.max(1, total)));
    };
    await runQuantizeJob(task.job(target, false, partials), { onLine: watch, signal, finish });
  } catch (error) {
    throw fileFailure(error, task.output, "written");
  } finally {
    await destination?.discard();
  }
  return paths;
}

/**
 * Quantises a model with llama.cpp's quantiser in a child process: an abort inside llama.cpp
 * becomes an error, and a signal ends the work at once.
 *
 * @param input - A model file with f32, f16 or bf16 weights (others with `allowRequantize`), or the
 * first part of a split one.
 * @param output - The file to write (with `keepSplit`, the prefix of the parts). It gets its name
 * when it is complete; not used in a dry run.
 * @throws {R1Error} like `checkModelFiles` and `readImatrix`; `INVALID_ARGUMENT` (also if a type
 * needs an importance matrix and none is given, or if the input is quantised and `allowRequantize`
 * is not set), `UNKNOWN_OPTION`, `FILE_EXISTS`, `FILE_UNWRITABLE`, `NO_SPACE` (checked before
 * writing), `QUANTIZE_FAILED`, `CHILD_CRASHED`, `ADDON_MISSING`; the signal's reason.
 *
 * @example
 * ```ts
 * await quantize("DeepSeek-R1-BF16-00001-of-00030.gguf", "R1-IQ1_S.gguf", { recipe: "UD-IQ1_S",
 * imatrix: "imatrix.gguf", onProgress: console.log });
 * ```
 */
export async function quantize(
  input: string,
  output: string,
  options: QuantizeOptions,
): Promise<QuantizeResult> {
  check.filePath(input, "input");
  check.filePath(output, "output");
  const normal = normalizeQuantizeOptions(options);
  normal.signal?.throwIfAborted();
  const model = await checkModelFiles(
    input,
    normal.signal === undefined ? {} : { signal: normal.signal },
  );
  const imatrix = normal.imatrix === undefined ? undefined : await readImatrix(normal.imatrix);
  const headers = await readAllParts(input, normal.signal);
  const inputs = normal.imatrix === undefined ? model.paths : [...model.paths, normal.imatrix];
  await refuseInputs(outputPaths({ output, options: normal, headers }), inputs, "output");
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
    job: await makeJob(input, model, headers, normal, imatrix),
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
