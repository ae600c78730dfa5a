// Copies the addon and the libraries it needs from the CMake tree into one flat folder, where
// node-gyp-build looks. Writes only what changed.
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { BuildError } from "./process.mjs";

/**
 * The addon, libllama and ggml with its backends; upstream's programs bring more libraries, which
 * the addon does not need.
 */
const WANTED = /^(r1_native\.node|(lib)?(llama|ggml[\w.-]*)\.(so|dylib|dll))$/;

function isSame(from, to) {
  try {
    const [a, b] = [statSync(from), statSync(to)];
    return a.size === b.size && Math.abs(a.mtimeMs - b.mtimeMs) < 2;
  } catch {
    return false;
  }
}

/**
 * Returns the names that were written. A file is replaced by a rename, so that a process that has
 * the old one loaded keeps it.
 */
export function collect(from, to) {
  const names = readdirSync(from).filter((name) => WANTED.test(name));
  if (!names.includes("r1_native.node"))
    throw new BuildError(
      `the build ended without r1_native.node in ${from}; remove that folder's parent and build again.`,
    );
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(to)) {
    if (WANTED.test(name) && !names.includes(name)) rmSync(join(to, name));
  }
  const changed = names.filter((name) => !isSame(join(from, name), join(to, name)));
  for (const name of changed) {
    const [source, temporary] = [join(from, name), join(to, `.${name}.${process.pid}`)];
    copyFileSync(source, temporary);
    const { atime, mtime } = statSync(source);
    utimesSync(temporary, atime, mtime);
    renameSync(temporary, join(to, name));
  }
  return changed;
}
