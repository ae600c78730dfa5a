// Decides whether two paths name one file, by whatever spelling or link.
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { refuse } from "../check.js";

/** As many symbolic links in a row as Linux follows. */
const MAX_LINKS = 40;

/**
 * A text that two paths share exactly if they name one file. It is made of device and inode where
 * the file exists and the file system has inodes, else of the real path of its folder.
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
 * Refuses outputs that are inputs.
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
      refuse(option, "another file than the input or one of its parts", output);
}

/**
 * The path where a file is written: of a symbolic link its target, which need not exist.
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
