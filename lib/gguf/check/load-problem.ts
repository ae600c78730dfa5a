// Finds problems of a local model that only a load shows, such as a missing tensor: runs the checks
// of a load and the trial in a child process. Does not block the JavaScript thread.
import { isR1Error } from "../../base/errors.js";
import { plainEngine, plainModel, tryBeforeLoading } from "../../binding/trial.js";
import { checkModelFiles } from "./check-model.js";

/** Size of the trial's context; every model has room for it. Unit: tokens. */
const CONTEXT = 512;

/**
 * Returns the error that `loadModel` would end with.
 *
 * @param path - The file, or the first part of a split model.
 * @returns undefined if the model loads, or if this installation has no native addon to try it
 * with.
 * @throws `signal.reason` when aborted; {R1Error} `RESOURCE_EXHAUSTED` if no process could be
 * started.
 */
export async function findLoadProblem(
  path: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ code: string; message: string } | undefined> {
  try {
    const { paths, parts, sizeBytes } = await checkModelFiles(path, { signal });
    const model = plainModel(paths);
    const engine = plainEngine(CONTEXT);
    await tryBeforeLoading({ mode: "auto", parts, sizeBytes, model, engine }, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!isR1Error(error) || error.code === "RESOURCE_EXHAUSTED") throw error;
    if (error.code === "ADDON_MISSING") return undefined;
    return { code: error.code, message: error.message };
  }
}
