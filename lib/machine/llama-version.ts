// Returns llama.cpp's version.
import { native } from "../binding/load.js";

/**
 * Returns the version of llama.cpp that the addon was built with, for example `0.5.0`.
 *
 * @throws {R1Error} `ADDON_MISSING` if the addon is not built or cannot be loaded on this machine.
 */
export function llamaVersion(): string {
  return native().llamaVersion();
}
