// Decides whether two paths name the same file, regardless of spelling and links.
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { refuse } from "../check.js";

/** The number of consecutive symbolic links that Linux follows. */
const MAX_LINKS = 40;

/**
 * Returns a text that is equal for two paths exactly if they name the same file. It consists of
 * device and inode if the file exists and the file system has inodes, otherwise of the real path of
 * its folder.
 */
export async function fileIdentity(path: string): Promise<string> {
  const facts = await stat(path, { bigint: true }).catch(() => undefined);
  if (facts !== undefined && facts.ino !== 0n) return `inode ${facts.dev} ${facts.ino}`;
  if (facts !== undefined) return `path ${await realpath(path).catch(() => resolve(path))}`;
  const target = await followLinks(path).catch(() => resolve(path));
  const folder = await realpath(dirname(target)).catch(() => dirname(target));
  return `path ${join(folder, basename(target))}`;
}

/**
 * Refuses outputs that are also inputs.
 *
 * @param option - The argument that names the outputs.
 * @throws {R1Error} `INVALID_ARGUMENT`.
 */
export async function refuseInputs(
  outputs: readonly string[],
  inputs: readonly string[],
  option: string,
): Promise<void> {
  const known = new Set<string>();
  for (const input of inputs) known.add(await fileIdentity(input));
  for (const output of outputs)
    if (known.has(await fileIdentity(output)))
      refuse(option, "a file other than the input and its parts", output);
}

/**
 * Returns the path at which a file is written: for a symbolic link its target, which need not
 * exist.
 *
 * @throws the system's error `ELOOP`.
 */
export async function followLinks(path: string): Promise<string> {
  let at = resolve(path);
  for (let links = 0; links <= MAX_LINKS; links++) {
    const facts = await lstat(at).catch(() => undefined);
    if (facts?.isSymbolicLink() !== true) return at;
    at = resolve(await realpath(dirname(at)), await readlink(at));
  }
  throw Object.assign(new Error("ELOOP: too many symbolic links"), {
    code: "ELOOP",
    syscall: "open",
    path,
  });
}
