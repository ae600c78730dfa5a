// loadModel: checks path and options, then hands over to loading.ts. Runs on the calling JavaScript
// thread.
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
 * `hf:owner/name:QUANT`, which is downloaded into its cache if it is not there (`onDownload` tells
 * how far that is, `onProgress` of loading only). @defaultValue the small model that comes with the
 * package
 * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`; `FILE_NOT_FOUND`, `FILE_IS_DIRECTORY`,
 * `FILE_EMPTY`, `FILE_UNREADABLE`, `FILE_TRUNCATED`, `NOT_GGUF`, `GGUF_INVALID`, `SHARD_MISSING`,
 * `SHARD_INVALID`, `MODEL_UNSUPPORTED`, `MODEL_LOAD_FAILED`; `CACHE_TYPE_UNSUPPORTED`,
 * `OUT_OF_MEMORY`; `ADDON_MISSING`; of a model on the Hub what `downloadModel` throws. An abort
 * rejects with `signal.reason` as it is.
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
  // A null that stands for a missing setting must not load another model than was meant.
  if (
    pathOrOptions === null ||
    (!isPath && maybeOptions !== undefined && pathOrOptions !== undefined)
  )
    refuse("path", "a string", pathOrOptions);
  const config = normalizeLoad((isPath ? maybeOptions : (maybeOptions ?? pathOrOptions)) ?? {});
  const path = isPath ? absolutePath(pathOrOptions) : embeddedModel();
  config.signal?.throwIfAborted();
  // What follows needs most of the library, which programs that load no model need not wait for.
  const { loadChecked } = await import("./loading.js");
  return loadChecked(path, config, site);
}
