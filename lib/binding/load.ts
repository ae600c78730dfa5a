// Finds, loads and starts the native addon, once per process and environment.
import { constants } from "node:os";
import { dirname } from "node:path";
import { isMainThread } from "node:worker_threads";
import { nativeError, R1Error } from "../base/errors.js";
import { startChildrenBy } from "../base/native-starter.js";
import { packageFolder } from "../base/package.js";
import { findAddon } from "./find-addon.js";
import { explainLoadFailure, otherCopy } from "./load-failure.js";
import type { LoadFailure } from "./load-failure.js";
import type { NativeAddon } from "./native.js";
import type { NativeStartConfig } from "./native-backends.js";

interface Loaded {
  readonly addon: NativeAddon;
  /** The folder of the addon, and of ggml's backends beside it. */
  readonly folder: string;
}

let loaded: Loaded | undefined;

/**
 * Calls `work` with the environment variables that libgomp and ggml read once, while their
 * libraries are loaded, and then restores the previous values, because the environment belongs to
 * the host and is inherited by its children. On a worker thread `process.env` is a copy that C
 * never sees, so the process's environment stays unchanged. If these libraries are loaded later,
 * native/core/backend/backend.cpp does the same.
 */
function withStartEnvironment<T>(work: () => T): T {
  const wanted: Record<string, string> = {
    // Otherwise ggml installs a handler that starts a debugger on a dying process and can hang it.
    GGML_NO_BACKTRACE: "1",
    // At a barrier, libgomp's threads spin for milliseconds before they sleep. When other programs
    // use the cores, two threads can drop to a few tokens per second (docs/decisions/openmp.md).
    ...(process.env["OMP_WAIT_POLICY"] === undefined ? { GOMP_SPINCOUNT: "100000" } : {}),
  };
  const added = Object.keys(wanted).filter((name) => process.env[name] === undefined);
  for (const name of added) process.env[name] = wanted[name];
  try {
    return work();
  } finally {
    for (const name of added) Reflect.deleteProperty(process.env, name);
  }
}

function fail({ reason, advice }: LoadFailure, file: string | null = null, cause?: unknown): never {
  throw new R1Error("ADDON_MISSING", `Cannot load the native addon: ${reason}. ${advice}`, {
    cause,
    details: {
      file,
      packageFolder,
      platform: process.platform,
      arch: process.arch,
      node: process.version,
    },
  });
}

/**
 * Loads the addon as `require` does, but with all its symbols at once. Another addon over llama.cpp
 * may have brought older libraries of the same names into the process. With `require`, the first
 * call of a function that they lack would end the process; this way the load fails.
 */
function openAddon(file: string): NativeAddon {
  const module = { exports: {} };
  // Not defined on Windows, whose libraries load all symbols at once anyway.
  const flags: number | undefined = constants.dlopen.RTLD_NOW;
  if (flags === undefined) process.dlopen(module, file);
  else process.dlopen(module, file, flags);
  return module.exports as NativeAddon;
}

function load(): Loaded {
  const found = findAddon();
  if (found.file === undefined) return fail(found.failure);
  const { file } = found;
  let addon: NativeAddon;
  try {
    addon = withStartEnvironment(() => openAddon(file));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return fail(explainLoadFailure(message, otherCopy(dirname(file))), file, error);
  }
  addon.setErrorMaker(nativeError);
  startChildrenBy(addon);
  // process.exit and an uncaught error do not run the cleanup hooks of the main thread, and C's
  // own run too late for objects that a load is still constructing. First among the listeners,
  // because one that throws keeps the later ones from being called. A worker's threads end with
  // its environment.
  if (isMainThread) process.prependListener("exit", (code) => addon.endThreads(code));
  return { addon, folder: dirname(file) };
}

/**
 * Returns the addon's exports; loads it at the first call.
 *
 * @throws {R1Error} `ADDON_MISSING` when it is not built, or cannot be loaded on this machine; the
 * message says what to do.
 */
export function native(): NativeAddon {
  loaded ??= load();
  return loaded.addon;
}

/** The addon's folder, which is searched for backends. */
export function addonFolder(): string {
  loaded ??= load();
  return loaded.folder;
}

/**
 * Loads ggml's CPU and RPC backends from beside the addon and starts libllama. Only the first call
 * in a process has an effect, so only its `numa` counts.
 *
 * @throws {R1Error} `ADDON_MISSING` as {@link native} does.
 */
export function initialize(numa: NativeStartConfig["numa"]): void {
  loaded ??= load();
  loaded.addon.initialize({ backendDir: loaded.folder, numa });
}

/**
 * {@link initialize} on a separate thread, including the start of linked-in drivers; it does not
 * block the event loop.
 */
export async function initializeInBackground(numa: NativeStartConfig["numa"]): Promise<void> {
  loaded ??= load();
  await loaded.addon.start({ backendDir: loaded.folder, numa });
}
