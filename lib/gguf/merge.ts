// Merges a split model into one file, streaming. The result is byte for byte what llama-gguf-split
// writes. Asynchronous.
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { refuseInputs } from "../base/files/same-file.js";
import { refuseExisting } from "../base/files/writer.js";
import { pairU16 } from "./encode.js";
import { modelfileFacts, modelfilePath, writeModelfile } from "./modelfile.js";
import { checkLength, readAllParts, SPLIT_KEYS, splitValue } from "./shards.js";
import { rawPairs, writeModel, type FilePlan } from "./write-model.js";

/** Options of {@link mergeGguf}. */
export interface MergeOptions {
  /**
   * Overwrite an existing output file.
   * @defaultValue false
   */
  force?: boolean | undefined;
  /**
   * Also write a Modelfile for Ollama next to the output, like `writeModelfile`; the value is the
   * model's name in Ollama. It is checked before anything is copied.
   * @defaultValue none
   */
  modelfile?: string | undefined;
  /** Called with the share done, 0 to 1, at most once per frame. */
  onProgress?: ((progress: number) => void) | undefined;
  /** Aborts the merge and removes the output. */
  signal?: AbortSignal | undefined;
}

/** What a merge wrote. */
export interface MergeResult {
  /** The file written. */
  readonly path: string;
  /** Its size. */
  readonly bytes: number;
  /** Number of tensors in it. */
  readonly tensors: number;
  /** The parts that were merged. */
  readonly parts: readonly string[];
  /** The Modelfile, if one was requested. */
  readonly modelfile: string | undefined;
}

/**
 * Merges the parts of a split model into one file, with the same bytes as `llama-gguf-split
 * --merge`.
 *
 * @param first - The first part, `...-00001-of-0000N.gguf`; the others must be in the same folder.
 * @param out - The file to write. Until it is complete it has a temporary name,
 * `<out>.<process>.partial`. If it is a symbolic link, the link stays and its target is written.
 * @throws {R1Error} like `checkModelFiles` on the parts; `SHARD_INVALID` if the file is not split;
 * `FILE_EXISTS`, `NO_SPACE` (checked before writing), `IO_FAILED`, `INVALID_ARGUMENT`,
 * `UNKNOWN_OPTION`; with `modelfile` also `MODEL_UNSUPPORTED`; the signal's reason.
 */
export async function mergeGguf(
  first: string,
  out: string,
  options: MergeOptions = {},
): Promise<MergeResult> {
  check.filePath(first, "first");
  check.filePath(out, "out");
  check.knownKeys(check.object(options, "options"), "mergeGguf", [
    "force",
    "modelfile",
    "onProgress",
    "signal",
  ]);
  if (options.onProgress !== undefined) check.callback(options.onProgress, "onProgress");
  const force = check.boolean(options.force ?? false, "force");
  const signal = options.signal === undefined ? undefined : check.signal(options.signal, "signal");
  signal?.throwIfAborted();
  const { modelfile } = options;
  if (modelfile !== undefined) check.filePath(modelfile, "modelfile");
  if (!force) await refuseExisting(out);
  if (modelfile !== undefined) {
    if (!force) await refuseExisting(modelfilePath(out, modelfile));
    await modelfileFacts(first);
  }
  const headers = await readAllParts(first, signal);
  const [head] = headers;
  if ((splitValue(head, "count") ?? 0) < 1) {
    throw new R1Error(
      "SHARD_INVALID",
      `"${first}" is not the first part of a split model; there is nothing to merge.`,
      { details: { path: first } },
    );
  }
  await refuseInputs(
    [out],
    headers.map(({ path }) => path),
    "out",
  );
  for (const header of headers) checkLength(header);
  const plan: FilePlan = {
    pairs: [...(await rawPairs(head, [SPLIT_KEYS.count])), pairU16(SPLIT_KEYS.count, 0)],
    tensors: headers.flatMap((source) => source.tensors.map((tensor) => ({ tensor, source }))),
    alignment: head.alignment,
  };
  const bytes = await writeModel(plan, out, { force, signal, onProgress: options.onProgress });
  return {
    path: out,
    bytes,
    tensors: plan.tensors.length,
    parts: headers.map(({ path }) => path),
    modelfile:
      modelfile === undefined ? undefined : await writeModelfile(out, modelfile, { force }),
  };
}
