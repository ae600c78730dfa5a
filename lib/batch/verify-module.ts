// Runs a verifier that is a module in processes of its own, which are ended when a call takes too
// long. Runs on the JavaScript thread that asks.
import { stat } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import { BoundedWorker } from "../base/bounded-worker.js";
import { builtModule } from "../base/child.js";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import type { Verifier } from "./config.js";

/** What the child is given. */
export interface VerifyTask {
  /** URL of the verifier's module. */
  readonly module: string;
  /** What it is asked about; undefined: the module is loaded, and nothing else. */
  readonly about?: { readonly row: unknown; readonly result: unknown };
}

/** A verifier that can be asked. */
export interface RunningVerifier {
  /** @throws {R1Error} rejects with `INVALID_ARGUMENT` when the module is no verifier, and with
   * `FILE_NOT_FOUND` when there is none. */
  readonly ready: () => Promise<void>;
  readonly verify: Verifier;
  readonly close: () => void;
}

const HEAP_MIB = 512;

/**
 * @param path - The module; its default export is the verifier.
 * @param timeoutMs - Longest time of one call.
 */
export function startVerifier(path: string, timeoutMs: number): RunningVerifier {
  const module = pathToFileURL(resolve(path)).href;
  const worker = new BoundedWorker<VerifyTask, boolean>({
    name: "The verifier",
    module: builtModule(new URL("./verify-child.js", import.meta.url)),
    timeoutMs,
    heapMiB: HEAP_MIB,
    maxQueue: 1024,
  });
  return {
    ready: async () => {
      await stat(resolve(path)).catch((error: unknown) => {
        throw fileFailure(error, path, "read");
      });
      await worker.run({ module }).catch((error: unknown) => {
        throw new R1Error(
          "INVALID_ARGUMENT",
          `The verifier "${path}" cannot be used: ${(error as Error).message}`,
          { cause: error, details: { option: "verify", path } },
        );
      });
    },
    verify: (row, result) => worker.run({ module, about: { row, result } }),
    close: () => worker.release(),
  };
}
