// Starts libllama with every backend there is: those of the addon, and libraries from beside it and from `backendDir`. What cannot be loaded costs a warning, never a
// model. Runs on any JavaScript thread; openBackends() does not hold it up.
import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import { loadBackends, loadBackendsNow } from "../binding/backends.js";
import type { BackendProblem } from "../binding/backends.js";
import { initialize, native } from "../binding/load.js";
import type { LoadConfig } from "./normalize-load.js";

function refuseFolder(folder: string, cause: unknown): never {
  throw new R1Error(
    "INVALID_ARGUMENT",
    `\`backendDir\` is ${folder}, and that is no folder. Name the folder that holds libggml-vulkan.so or another backend library.`,
    {
      cause,
      details: { option: "backendDir", path: folder },
    },
  );
}

function tell(problems: readonly BackendProblem[], warn: (text: string) => void): void {
  if (problems.length === 0) return;
  const what = problems.map(({ path, reason }) => `${path} (${reason})`).join("; ");
  const names = native()
    .devices()
    .map((device) => device.name);
  warn(`No use can be made of ${what}. What there is goes on without: ${names.join(", ")}.`);
}

/**
 * Loads the backends for a model.
 *
 * @param warn - Gets one text when a library cannot be used.
 * @throws {R1Error} `ADDON_MISSING`; `INVALID_ARGUMENT` when `backendDir` is no folder.
 */
export async function openBackends({ numa, backendDir }: Pick<LoadConfig, "numa" | "backendDir">, warn: (text: string) => void): Promise<void> {
  if (backendDir !== undefined) {
    const facts = await stat(backendDir).catch((error: unknown) => refuseFolder(backendDir, error));
    if (!facts.isDirectory()) refuseFolder(backendDir, undefined);
  }
  initialize(numa);
  tell(await loadBackends(backendDir), warn);
}

/** {@link openBackends} on the calling thread. */
export function openBackendsNow(backendDir: string | undefined, warn: (text: string) => void): void {
  if (backendDir !== undefined) {
    const facts = statSync(backendDir, { throwIfNoEntry: false });
    if (facts?.isDirectory() !== true) refuseFolder(backendDir, undefined);
  }
  initialize("disabled");
  tell(loadBackendsNow(backendDir), warn);
}
