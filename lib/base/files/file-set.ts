// Renames the files of a set, such as a split model, to their final names, so that a failure or a
// kill leaves either the old set or the new one.
import { lstat, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { takeLock } from "./lock.js";
import { replaceFile } from "./replace.js";
import { syncFolder } from "./writer.js";

/** One file of a set. */
export interface SetFile {
  /** Renames the file to its final name. */
  readonly finish: () => Promise<void>;
  readonly path: string;
}

const OLD = ".r1-old";

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/**
 * Repairs a set that a killed process left half replaced. The first file is moved aside first and
 * renamed last: if it exists, the new set is complete; otherwise the old one is restored.
 */
async function recover(paths: readonly string[]): Promise<void> {
  const [first = ""] = paths;
  const names = new Set(await readdir(dirname(first)).catch(() => []));
  if (!paths.some((path) => names.has(`${basename(path)}${OLD}`))) return;
  const isComplete = await exists(first);
  // The first file last, so that another kill finds the same state.
  for (const path of [...paths].reverse()) {
    const old = join(dirname(path), `${basename(path)}${OLD}`);
    if (!(await exists(old))) continue;
    if (isComplete) await rm(old, { force: true });
    else await replaceFile(old, path);
  }
}

/**
 * Locks the names of a set while it is written, and repairs what a killed process left.
 *
 * @param paths - All names, the first file first.
 * @returns A function that releases the lock.
 * @throws {R1Error} `FILE_BUSY` when another call is writing the same set.
 */
export async function lockSet(paths: readonly string[]): Promise<() => Promise<void>> {
  const [first = ""] = paths;
  const release = await takeLock(`${first}.lock`, first, "being written");
  try {
    await recover(paths);
    return release;
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * Renames the files of a set to their final names, the first file last because it is the one that
 * people open. Old files are moved aside before, and restored if anything fails.
 *
 * @param force - Whether old files may be replaced.
 */
export async function publishSet(files: readonly SetFile[], force: boolean): Promise<void> {
  const moved: string[] = [];
  const named: string[] = [];
  try {
    for (const { path } of force ? files : []) {
      if ((await lstat(path).catch(() => undefined))?.isFile() !== true) continue;
      await replaceFile(path, `${path}${OLD}`);
      moved.push(path);
    }
    for (const { path, finish } of files.slice(1).concat(files.slice(0, 1))) {
      await finish();
      named.push(path);
    }
  } catch (error) {
    for (const path of named) await rm(path, { force: true });
    for (const path of moved.reverse()) await replaceFile(`${path}${OLD}`, path);
    throw error;
  }
  for (const path of moved.reverse()) await rm(`${path}${OLD}`, { force: true });
  const [first] = files;
  if (first !== undefined) await syncFolder(dirname(first.path));
}
