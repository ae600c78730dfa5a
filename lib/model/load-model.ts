// loadModel: checks path and options, then continues in loading.ts.
import { refuse } from "../base/check.js";
import { embeddedModel } from "../weights/default-model.js";
import type { LoadOptions } from "../weights/load-options.js";
import { normalizeLoad } from "../weights/normalize-load.js";
import { absolutePath } from "./model-path.js";
import type { Model } from "./model.js";

/**
 * Loads a model and starts its engine.
 *
 * @param path - The GGUF file, or the first part of a split one; or a model on the Hub,
 * `hf:owner/name:QUANT`, which is downloaded into the Hub cache if it is not there (`onDownload`
 * reports the download, `onProgress` only the loading). @defaultValue the small model that comes
 * with the package
 * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`; `FILE_NOT_FOUND`, `FILE_IS_DIRECTORY`,
 * `FILE_EMPTY`, `FILE_UNREADABLE`, `FILE_TRUNCATED`, `NOT_GGUF`, `GGUF_INVALID`, `SHARD_MISSING`,
 * `SHARD_INVALID`, `MODEL_UNSUPPORTED`, `MODEL_LOAD_FAILED`; `CACHE_TYPE_UNSUPPORTED`,
 * `OUT_OF_MEMORY`; `ADDON_MISSING`; for a model on the Hub also the codes of `downloadModel`. An
 * abort rejects with `signal.reason` unchanged.
 * @example
 * ```ts
 * const model = await loadModel("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", { cacheTypeK: "q4_0", priority: "high" });
 * for await (const part of model.chat([{ role: "user", content: "What is 1+1?" }])) if (part.type === "answer-delta") process.stdout.write(part.text);
 * await model.close();
 * ```
 */
export async function loadModel(path?: string | URL, options?: LoadOptions): Promise<Model>;
/** Loads the small model that comes with the package. */
export async function loadModel(options: LoadOptions): Promise<Model>;
export async function loadModel(
  pathOrOptions?: string | URL | LoadOptions,
  maybeOptions?: LoadOptions,
): Promise<Model> {
  const site = new Error();
  const isPath = typeof pathOrOptions === "string" || pathOrOptions instanceof URL;
  // A null in place of a missing setting must not load a different model from the intended one.
  if (
    pathOrOptions === null ||
    (!isPath && maybeOptions !== undefined && pathOrOptions !== undefined)
  )
    refuse("path", "a string", pathOrOptions);
  const config = normalizeLoad((isPath ? maybeOptions : (maybeOptions ?? pathOrOptions)) ?? {});
  const path = isPath ? absolutePath(pathOrOptions) : embeddedModel();
  config.signal?.throwIfAborted();
  // The rest needs most of the library. Programs that load no model do not have to load it.
  const { loadChecked } = await import("./loading.js");
  return loadChecked(path, config, site);
}
