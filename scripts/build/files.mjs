// Finds files by folder and name.
import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Paths of all files below `folder` whose name matches, sorted; nothing if there is no such folder.
 */
export function filesBelow(folder, name) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
  return entries
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesBelow(path, name);
      return name.test(entry.name) ? [path] : [];
    })
    .sort();
}
