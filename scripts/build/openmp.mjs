// Finds the OpenMP runtime of the compiler, which packages carry.
import { realpathSync } from "node:fs";
import { platform } from "node:os";
import { capture } from "./process.mjs";

/** The name that libraries ask for. */
export const OPENMP = "libgomp.so.1";

/**
 * The file of GNU's OpenMP runtime, if the compiler links to it: small systems lack it, and a
 * library next to ours is found. Its licence (GPL with the runtime library exception) allows us to
 * distribute it.
 */
export function openMPRuntime() {
  if (platform() !== "linux") return undefined;
  const compiler = process.env.CXX?.split(" ")[0] ?? "c++";
  const library = capture(compiler, [`-print-file-name=${OPENMP}`]).stdout.trim();
  return library.includes("/") ? realpathSync(library) : undefined;
}
