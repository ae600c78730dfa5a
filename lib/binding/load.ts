// Finds, loads and starts the native addon, once a process and environment. Runs on any JavaScript thread.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { R1Error } from "../base/errors.js";
import { explainLoadFailure } from "./load-failure.js";
import type { NativeAddon } from "./native.js";
import type { NativeStartConfig } from "./native-backends.js";

/** node-gyp-build: resolves `build/Release/*.node`, then `prebuilds/<platform>-<arch>/*.node`, of a package folder. */
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
 * Sets what ggml reads from the environment when its libraries are loaded. On a worker thread `process.env` is a copy that C never sees: there the
 * main thread's environment stands.
 */
function prepareEnvironment(): void {
  // At a barrier libgomp's threads spin before they sleep, by default for milliseconds. Where other programs want the cores, each barrier then waits for the
  // scheduler, and two threads can fall to a few tokens a second. A spin of about 1 ms costs little speed on free cores and bounds the harm (docs/decisions/openmp.md).
  if (process.env["OMP_WAIT_POLICY"] === undefined) process.env["GOMP_SPINCOUNT"] ??= "100000";
  // Without it an abort in ggml starts a debugger on the process, which can hang it.
  process.env["GGML_NO_BACKTRACE"] ??= "1";
  // It makes ggml load a library of whoever set the environment; `R1_KEEP_BACKEND_PATH=1` says that this is wanted.
  if (process.env["R1_KEEP_BACKEND_PATH"] !== "1") delete process.env["GGML_BACKEND_PATH"];
}

function load(): Loaded {
  prepareEnvironment();
  let file: string | undefined;
  try {
    file = (require("node-gyp-build") as AddonFinder).path(packageFolder);
    const addon = require(file) as NativeAddon;
    // process.exit and an uncaught error run no cleanup hooks of the main thread, and C's own come too late for what a load is just constructing. First among the
    // listeners: one that throws keeps the later ones from being called. A worker's threads end with its environment.
    if (isMainThread) process.prependListener("exit", () => addon.endThreads());
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
 * @throws {R1Error} `ADDON_MISSING` when it is not built, or cannot be loaded on this machine; the message says what to do.
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
 * Loads ggml's CPU and RPC backends from beside the addon and starts libllama. Only the first call of a process does anything, so only its `numa` counts.
 *
 * @throws {R1Error} `ADDON_MISSING` as {@link native} does.
 */
export function initialize(numa: NativeStartConfig["numa"]): void {
  loaded ??= load();
  loaded.addon.initialize({ backendDir: loaded.folder, numa });
}

/** {@link initialize} on a thread of its own, with the start of the drivers that are linked in: the event loop keeps turning meanwhile. */
export async function initializeAside(numa: NativeStartConfig["numa"]): Promise<void> {
  loaded ??= load();
  await loaded.addon.start({ backendDir: loaded.folder, numa });
}
