// Merges a split model into one file, byte for byte as llama-gguf-split does, streaming. Runs on
// the calling JavaScript thread; all waits are asynchronous.
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
   * Also write a Modelfile for Ollama beside the output, as `writeModelfile` does; this is the
   * model's name there. It is checked before anything is copied.
   * @defaultValue none
   */
  modelfile?: string | undefined;
  /** Called with the share done, 0 to 1, at most once a frame. */
  onProgress?: ((progress: number) => void) | undefined;
  /** Aborts the merge; nothing is left of the output. */
  signal?: AbortSignal | undefined;
}

/** What a merge wrote. */
export interface MergeResult {
  /** The file written. */
  readonly path: string;
  /** Its size. */
  readonly bytes: number;
  /** Tensors in it. */
  readonly tensors: number;
  /** The parts it was made of. */
  readonly parts: readonly string[];
  /** The Modelfile, if one was asked for. */
  readonly modelfile: string | undefined;
}

/**
 * Merges the parts of a split model into one file, the same bytes as `llama-gguf-split --merge`
 * writes.
 *
 * @param first - The first part, `...-00001-of-0000N.gguf`; the others lie beside it.
 * @param out - The file to write. It gets its name when it is whole; until then it has
 * a temporary name, `<out>.<process>.partial`. A symbolic link stays and its target is written.
 * @throws {R1Error} as `checkModelFiles` on the parts; `SHARD_INVALID` when the file is not split;
 * `FILE_EXISTS`, `NO_SPACE` (asked before writing), `IO_FAILED`, `INVALID_ARGUMENT`,
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
