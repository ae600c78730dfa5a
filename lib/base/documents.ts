// Where a user finds a document of this package. Any JavaScript thread.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "./package.js";

interface Manifest {
  readonly version?: unknown;
  readonly repository?: { readonly url?: unknown };
}

let folder: string | undefined;

/** The address of a published package's documents, else their folder on this machine. */
function documentsFolder(): string {
  const local = join(packageFolder, "docs");
  try {
    const text = readFileSync(join(packageFolder, "package.json"), "utf8");
    const { version, repository } = JSON.parse(text) as Manifest;
    const [, address] = /^git\+(https:\/\/.+)\.git$/.exec(String(repository?.url)) ?? [];
    return address === undefined ? local : `${address}/blob/v${String(version)}/docs`;
  } catch {
    return local;
  }
}

/**
 * Returns the full address of a document, or its path if the package does not know where it was
 * published.
 *
 * @param name - Its path below `docs/`, such as `guide/gpu.md`.
 */
export function documentAddress(name: string): string {
  folder ??= documentsFolder();
  return folder.startsWith("https:") ? `${folder}/${name}` : join(folder, name);
}
