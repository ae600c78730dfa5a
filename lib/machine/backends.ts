// Starts libllama with every backend: those of the addon, libraries next to it, and libraries from
// `backendDir`. A library that cannot be loaded causes a warning, never an error. openBackends()
// does not block the JavaScript thread.
import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import { holdsLibraries, loadBackends, loadBackendsNow } from "../binding/backends.js";
import type { BackendProblem } from "../binding/backends.js";
import { initialize, initializeInBackground, native } from "../binding/load.js";
import type { NativeDevice, NativeStartConfig } from "../binding/native-backends.js";

function refuseFolder(folder: string, cause: unknown): never {
  throw new R1Error(
    "INVALID_ARGUMENT",
    `\`backendDir\` is ${folder}, and that is not a folder. Give the folder that contains ` +
      "libggml-vulkan.so or another backend library.",
    {
      cause,
      details: { option: "backendDir", path: folder },
    },
  );
}

/** Reports the libraries that cannot be used, in one text, and the remaining devices. */
export function warnOfProblems(
  problems: readonly BackendProblem[],
  devices: () => readonly NativeDevice[],
  warn: (text: string) => void,
): void {
  if (problems.length === 0) return;
  const what = problems.map(({ path, reason }) => `${path} (${reason})`).join("; ");
  const names = devices().map((device) => device.name);
  warn(`Cannot use ${what}. Continuing without it, on: ${names.join(", ")}.`);
}

function warnOfEmpty(folder: string, warn: (text: string) => void): void {
  if (holdsLibraries(folder)) return;
  warn(
    `\`backendDir\` is ${folder}, and there is no backend library in it (libggml-vulkan.so, ` +
      "libggml-cuda.so and the like): nothing is loaded from it.",
  );
}

/**
 * @param warn - Called with a text if the folder contains no backend library.
 * @throws {R1Error} `INVALID_ARGUMENT` if `backendDir` is not a folder.
 */
export async function checkBackendDir(
  backendDir: string | undefined,
  warn: (text: string) => void,
): Promise<void> {
  if (backendDir === undefined) return;
  const facts = await stat(backendDir).catch((error: unknown) => refuseFolder(backendDir, error));
  if (!facts.isDirectory()) refuseFolder(backendDir, undefined);
  warnOfEmpty(backendDir, warn);
}

/**
 * Loads the backends for a model.
 *
 * @param warn - Called with one text if libraries cannot be used.
 * @throws {R1Error} `ADDON_MISSING`; `INVALID_ARGUMENT` if `backendDir` is not a folder.
 */
export async function openBackends(
  { numa, backendDir }: Pick<NativeStartConfig, "numa"> & { backendDir: string | undefined },
  warn: (text: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  await checkBackendDir(backendDir, warn);
  await initializeInBackground(numa);
  warnOfProblems(await loadBackends(backendDir, signal), () => native().devices(), warn);
}

/** {@link openBackends}, blocking the calling thread. */
export function openBackendsNow(
  backendDir: string | undefined,
  warn: (text: string) => void,
): void {
  if (backendDir !== undefined) {
    let isFolder = false;
    try {
      isFolder = statSync(backendDir).isDirectory();
    } catch (error) {
      refuseFolder(backendDir, error); // also for what can be no path
    }
    if (!isFolder) refuseFolder(backendDir, undefined);
    warnOfEmpty(backendDir, warn);
  }
  initialize("disabled");
  warnOfProblems(loadBackendsNow(backendDir), () => native().devices(), warn);
}
