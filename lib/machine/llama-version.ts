// Tells llama.cpp's version. Runs on any JavaScript thread.
import { native } from "../binding/load.js";

/**
 * llama.cpp's version as the addon was built with it, e.g. `0.5.0`.
 *
 * @throws {R1Error} `ADDON_MISSING` when the addon is not built or cannot be loaded on this
 * machine.
 */
export function llamaVersion(): string {
  return native().llamaVersion();
}
