// Where the embedded model lies. Runs on any JavaScript thread.
import { fileURLToPath } from "node:url";

/** The small trained model that comes with the package: R1's format and architecture, 7 MB. Absolute path. */
export const DEFAULT_MODEL_PATH: string = fileURLToPath(
  new URL("../../models/tiny-r1.gguf", import.meta.url),
);
