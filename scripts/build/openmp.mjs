// Finds the OpenMP runtime of the compiler, which packages carry.
import { copyFileSync, realpathSync } from "node:fs";
import { platform } from "node:os";
import { join } from "node:path";
import { capture } from "./process.mjs";

/** The name that libraries ask for. */
const OPENMP = "libgomp.so.1";

/**
 * Copies GNU's OpenMP runtime into a folder, if the compiler links to it: small systems lack it,
 * and a library next to ours is found. Its licence (GPL with the runtime library exception) allows
 * us to distribute it.
 */
export function copyOpenMP(folder) {
  if (platform() !== "linux") return;
  const compiler = process.env.CXX?.split(" ")[0] ?? "c++";
  const library = capture(compiler, [`-print-file-name=${OPENMP}`]).stdout.trim();
  if (library.includes("/")) copyFileSync(realpathSync(library), join(folder, OPENMP));
}
