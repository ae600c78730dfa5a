// Locates the embedded model.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { R1Error } from "../base/errors.js";
import { unpackedPath } from "../base/package.js";

/** Absolute path of the small trained model in the package: R1's format and architecture, 7 MB. */
export const DEFAULT_MODEL_PATH: string = unpackedPath(
  fileURLToPath(new URL("../../models/tiny-r1.gguf", import.meta.url)),
);

/**
 * Returns the path of the embedded model. The file is missing when a bundler has moved this code.
 *
 * @throws {R1Error} `FILE_NOT_FOUND`
 */
export function embeddedModel(path = DEFAULT_MODEL_PATH): string {
  if (existsSync(path)) return path;
  throw new R1Error(
    "FILE_NOT_FOUND",
    `The embedded model is not at "${path}". If your program is bundled, exclude r1-native ` +
      "from the bundle (esbuild: --external:r1-native), because it loads files of its " +
      "package. Otherwise reinstall it.",
    { details: { path } },
  );
}
