// Finds, loads and starts the native addon, once a process and environment. Runs on any JavaScript
// thread.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { nativeError, R1Error } from "../base/errors.js";
import { startChildrenBy } from "../base/native-starter.js";
import { explainLoadFailure } from "./load-failure.js";
import type { NativeAddon } from "./native.js";
import type { NativeStartConfig } from "./native-backends.js";

/**
 * node-gyp-build: resolves `build/Release/*.node`, then `prebuilds/<platform>-<arch>/*.node`, of a
 * package folder.
 */
interface AddonFinder {
  path(folder: string): string;
}

const require = createRequire(import.meta.url);

/** The package's folder: two levels up both from lib/binding and from dist/binding. */
const packageFolder = fileURLToPath(new URL("../..", import.meta.url));

interface Loaded {
  readonly addon: NativeAddon;
  /** Where the addon lies, and ggml's backends beside it. */
  readonly folder: string;
}

let loaded: Loaded | undefined;

/**
 * Calls `work` with the environment variables that libgomp and ggml read once, while their
 * libraries are loaded, and then puts back what was there: the environment is the host's and its
 * children's. On a worker thread `process.env` is a copy that C never sees, and the process's
 * environment stands. Where these libraries are loaded later, native/core/backend/backend.cpp does the
 * same.
 */
function withStartEnvironment<T>(work: () => T): T {
  const wanted: Record<string, string> = {
    // Otherwise ggml installs a handler that starts a debugger on a dying process and can hang it.
    GGML_NO_BACKTRACE: "1",
    // At a barrier libgomp's threads spin for milliseconds before they sleep. Where other programs
    // want the cores, two threads can fall to a few tokens a second (docs/decisions/openmp.md).
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

function load(): Loaded {
  let file: string | undefined;
  try {
    file = (require("node-gyp-build") as AddonFinder).path(packageFolder);
    const found = file;
    const addon = withStartEnvironment(() => require(found) as NativeAddon);
    addon.setErrorMaker(nativeError);
    startChildrenBy(addon);
    // process.exit and an uncaught error run no cleanup hooks of the main thread, and C's own come
    // too late for what a load is just constructing. First among the listeners: one that throws
    // keeps the later ones from being called. A worker's threads end with its environment.
    if (isMainThread) process.prependListener("exit", (code) => addon.endThreads(code));
    return { addon, folder: dirname(file) };
  } catch (error) {
    const { reason, advice } = explainLoadFailure(
      error instanceof Error ? error.message : String(error),
    );
    throw new R1Error(
      "ADDON_MISSING",
      `The native addon could not be loaded: ${reason}. ${advice}`,
      {
        cause: error,
        details: {
          file: file ?? null,
          packageFolder,
          platform: process.platform,
          arch: process.arch,
          node: process.version,
        },
      },
    );
  }
}

/**
 * The addon's exports, loaded at the first call.
 *
 * @throws {R1Error} `ADDON_MISSING` when it is not built, or cannot be loaded on this machine; the
 * message says what to do.
 */
export function native(): NativeAddon {
  loaded ??= load();
  return loaded.addon;
}

/** The folder the addon lies in: backends beside it are looked for there. */
export function addonFolder(): string {
  loaded ??= load();
  return loaded.folder;
}

/**
 * Loads ggml's CPU and RPC backends from beside the addon and starts libllama. Only the first call
 * of a process does anything, so only its `numa` counts.
 *
 * @throws {R1Error} `ADDON_MISSING` as {@link native} does.
 */
export function initialize(numa: NativeStartConfig["numa"]): void {
  loaded ??= load();
  loaded.addon.initialize({ backendDir: loaded.folder, numa });
}

/**
 * {@link initialize} on a thread of its own, with the start of the drivers that are linked in: the
 * event loop keeps turning meanwhile.
 */
export async function initializeInBackground(numa: NativeStartConfig["numa"]): Promise<void> {
  loaded ??= load();
  await loaded.addon.start({ backendDir: loaded.folder, numa });
}
