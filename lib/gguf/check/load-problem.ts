// Finds what only a load shows of a local model that looks sound, such as a missing tensor: through
// the checks of a load and the trial in a process of its own. Runs on the calling JavaScript
// thread, which it does not hold up.
import { isR1Error } from "../../base/errors.js";
import { plainEngine, plainModel, tryBeforeLoading } from "../../binding/trial.js";
import { checkModelFiles } from "./check-model.js";

/** Tokens of the context that the trial makes; every model has room for them. */
const CONTEXT = 512;

/**
 * The error that `loadModel` would end with.
 *
 * @param path - The file, or the first part of a split model.
 * @returns undefined where the model loads, or where this installation has no native part to ask.
 * @throws `signal.reason` when aborted; {R1Error} `RESOURCE_EXHAUSTED` where no process could be
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
