// Where the embedded model lies. Runs on any JavaScript thread.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { R1Error } from "../base/errors.js";

/**
 * The small trained model that comes with the package: R1's format and architecture, 7 MB. Absolute
 * path.
 */
export const DEFAULT_MODEL_PATH: string = fileURLToPath(
  new URL("../../models/tiny-r1.gguf", import.meta.url),
);

/**
 * The path of the embedded model, which is not there when a bundler has moved this code.
 *
 * @throws {R1Error} `FILE_NOT_FOUND`
 */
export function embeddedModel(path = DEFAULT_MODEL_PATH): string {
  if (existsSync(path)) return path;
  throw new R1Error(
    "FILE_NOT_FOUND",
    `The embedded model is not at "${path}". If your program is bundled, leave r1-native out of the ` +
      "bundle (esbuild: --external:r1-native), since it loads files of its package; else reinstall it.",
    { details: { path } },
  );
}
