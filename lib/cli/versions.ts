// The versions of the program and of the llama.cpp in its package. Reads two small files; loads no
// native code, so that the versions are shown even if the addon cannot be loaded.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ownVersion, packageFolder } from "../base/package.js";

/** The versions that `--version` shows. */
export interface Versions {
  readonly r1Native: string;
  readonly llamaCpp: string;
}

/** The tag of the llama.cpp that the addon is built from, without its "v". */
function llamaTag(): string {
  const path = join(packageFolder, "vendor", "llama.cpp.lock.json");
  try {
    const { tag } = JSON.parse(readFileSync(path, "utf8")) as { tag?: unknown };
    return typeof tag === "string" ? tag.replace(/^v/, "") : "unknown";
  } catch {
    return "unknown";
  }
}

/** Returns the versions of r1-native and llama.cpp. */
export const versions = (): Versions => ({
  r1Native: ownVersion() ?? "unknown",
  llamaCpp: llamaTag(),
});
