// Where configuration files are: the user's own, and the one of the project that the working folder
// belongs to. Main thread.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The name of a project's file. */
export const PROJECT_FILE = "r1-native.config.json";

/** The path of the user's file, whether or not it exists. */
export function userFile(env: NodeJS.ProcessEnv): string {
  const config = env["XDG_CONFIG_HOME"] ?? "";
  const folder = config.startsWith("/") ? config : join(homedir(), ".config");
  return join(folder, "r1-native", "config.json");
}

/**
 * Finds the file of the project that a folder belongs to: the nearest one in the folder or above
 * it, but not above the root of a Git repository; undefined if there is none.
 */
export function projectFile(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, PROJECT_FILE);
    if (existsSync(path)) return path;
    if (existsSync(join(folder, ".git")) || dirname(folder) === folder) return undefined;
  }
}

/** The working folder; undefined if it was removed. */
export function workingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
