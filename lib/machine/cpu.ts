// Detects how many cores this process may use. Reads a few small system files once, synchronously.
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

let known: number | undefined;

/**
 * One core a set of hardware threads that Linux lists as siblings; undefined where the system does
 * not say.
 */
function linuxCores(): number | undefined {
  const root = "/sys/devices/system/cpu";
  try {
    const siblings = new Set<string>();
    for (const name of readdirSync(root)) {
      if (/^cpu\d+$/.test(name))
        siblings.add(readFileSync(`${root}/${name}/topology/thread_siblings_list`, "utf8"));
    }
    return siblings.size > 0 ? siblings.size : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Physical cores, at most the processors the process may run on, at least 1: a second thread on a
 * core takes from the first when both multiply matrices.
 */
export function physicalCores(): number {
  if (known !== undefined) return known;
  const allowed = availableParallelism();
  // Apple's cores have one thread each; elsewhere without a topology, llama.cpp's rule: half of
  // more than four processors.
  const cores =
    process.platform === "linux"
      ? linuxCores()
      : process.platform === "darwin" && process.arch === "arm64"
        ? cpus().length
        : undefined;
  known = Math.max(
    1,
    Math.min(allowed, cores ?? (allowed > 4 ? Math.floor(allowed / 2) : allowed)),
  );
  return known;
}

/**
 * Below this size a token's work is shorter than the waits of threads for each other: tiny-r1 (7
 * MB) decodes fastest on one. Unit: bytes.
 */
const WORTH_TWO_THREADS = 32 * 2 ** 20;

/**
 * Decides the thread counts of a load: as requested, otherwise one for a very small model and the
 * number of physical cores for any other.
 */
export function settleThreads<
  T extends { readonly threads: number; readonly threadsBatch: number },
>(config: T, sizeBytes: number): T {
  const fallback = sizeBytes < WORTH_TWO_THREADS ? 1 : physicalCores();
  const threads = config.threads === 0 ? fallback : config.threads;
  return Object.freeze({
    ...config,
    threads,
    threadsBatch: config.threadsBatch === 0 ? threads : config.threadsBatch,
  });
}
