// Finds ggml's backend libraries beside the addon and in one more folder, tries each in a process
// of its own, and loads what works. Runs on any JavaScript thread, which loadBackends() does not
// hold up.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtModule, endOf, lastWords, startChild } from "../base/child.js";
import type { ChildEnd } from "../base/child.js";
import { endWhenStopped } from "../base/stopped.js";
import { addonFolder, native } from "./load.js";
import type { NativeBackendResult } from "./native-backends.js";

/** A library that was not loaded, and why. */
export interface BackendProblem {
  readonly path: string;
  readonly reason: string;
}

/**
 * The backends that may be added, by the NAME in `libggml-NAME.so`, and what ggml calls them once
 * they are there. CPU and RPC come with the addon in every build. The order is ggml's own.
 */
const BACKENDS: Readonly<Record<string, string>> = {
  blas: "BLAS",
  zendnn: "ZenDNN",
  cann: "CANN",
  cuda: "CUDA",
  hip: "ROCm",
  metal: "MTL",
  sycl: "SYCL",
  vulkan: "Vulkan",
  opencl: "OpenCL",
  musa: "MUSA",
};

const PROGRAM = builtModule("./backend-trial.js", import.meta.url);

/**
 * A driver that starts for the first time may have to compile for its device. Unit: milliseconds.
 */
const TRIAL_LIMIT_MS = 180_000;

interface Candidate {
  readonly path: string;
  /** What ggml calls the backend. */
  readonly backend: string;
}

/**
 * Libraries of backends that are not there yet, those beside the addon first. A folder that cannot
 * be read holds none.
 */
function candidates(folder: string): Candidate[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return [];
  }
  return Object.entries(BACKENDS).flatMap(([name, backend]) =>
    names
      .filter(
        (file) =>
          file === `libggml-${name}.so` ||
          (file.startsWith(`libggml-${name}-`) && file.endsWith(".so")),
      )
      .map((file) => ({ path: join(folder, file), backend })),
  );
}

/** Whether a folder holds a library that could be loaded. */
export function holdsLibraries(folder: string): boolean {
  return candidates(folder).length > 0;
}

/** What the trial's process reported, or how it ended. */
function verdict(report: string, end: ChildEnd, errors: string): NativeBackendResult {
  try {
    return JSON.parse(report) as NativeBackendResult;
  } catch {
    const how = end.signal === "SIGKILL" ? "did not end in time" : endOf(end);
    const words = lastWords(errors);
    return {
      reason: `a process that tried it ${how}${words === "" ? "" : `, saying: ${words.slice(0, 300)}`}`,
      backend: "",
      devices: [],
    };
  }
}

function tryNow(path: string): NativeBackendResult {
  const { output, signal, status, error } = spawnSync(
    process.execPath,
    [fileURLToPath(PROGRAM), path],
    {
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      timeout: TRIAL_LIMIT_MS,
      killSignal: "SIGKILL",
    },
  );
  const end = { code: status, signal };
  if (output === null) return verdict("", end, String(error));
  return verdict(String(output[3] ?? ""), end, String(output[2] ?? ""));
}

/** @throws the signal's reason; {R1Error} as {@link startChild}. */
async function tryLater(
  path: string,
  signal: AbortSignal | undefined,
): Promise<NativeBackendResult> {
  signal?.throwIfAborted();
  const child = startChild(PROGRAM, { args: [path] });
  const kill = (): void => child.kill();
  signal?.addEventListener("abort", kill, { once: true });
  const timer = setTimeout(kill, TRIAL_LIMIT_MS);
  let report = "";
  let isStopped = false;
  endWhenStopped(child, () => (isStopped = true));
  child.link
    .setEncoding("utf8")
    .on("data", (piece: string) => (report += piece))
    .on("error", () => undefined);
  const end = await child.ended;
  clearTimeout(timer);
  signal?.removeEventListener("abort", kill);
  signal?.throwIfAborted();
  return verdict(report, end, isStopped ? "somebody stopped it for ten seconds" : child.tail);
}

/** What is to be told of a library: a problem, or nothing. Devices are what it is there for. */
function problemOf(
  path: string,
  { reason, devices }: NativeBackendResult,
): BackendProblem | undefined {
  if (reason !== "") return { path, reason };
  return devices.length > 0
    ? undefined
    : { path, reason: "it finds no device; perhaps the driver is missing" };
}

/** What came of each library in this environment. */
const settled = new Map<string, BackendProblem | undefined>();

/** The libraries beside the addon and in the folder. */
function libraries(folder: string | undefined): Candidate[] {
  return [addonFolder(), ...(folder === undefined ? [] : [folder])].flatMap(candidates);
}

/**
 * Whether there is nothing more to do: it was tried before, or another library brought this
 * backend, or it is linked in.
 */
function isSettled({ path, backend }: Candidate): boolean {
  return settled.has(path) || native().backends().includes(backend);
}

function problemsOf(all: readonly Candidate[]): BackendProblem[] {
  return all.flatMap(({ path }) => settled.get(path) ?? []);
}

let last: Promise<unknown> = Promise.resolve();

async function loadInTurn(
  all: readonly Candidate[],
  signal: AbortSignal | undefined,
): Promise<BackendProblem[]> {
  for (const candidate of all) {
    const { path, backend } = candidate;
    if (isSettled(candidate)) continue;
    let problem = problemOf(path, await tryLater(path, signal));
    problem ??= problemOf(path, await native().loadBackend(path, backend));
    settled.set(path, problem);
  }
  return problemsOf(all);
}

/**
 * Loads the backends that lie beside the addon and in `folder`. A backend that is there already is
 * not loaded again.
 *
 * @param signal - Ends a trial that is under way; nothing is then known of its library.
 * @returns What could not be loaded, now or at an earlier call; the devices there are go on to
 * work.
 */
export function loadBackends(
  folder: string | undefined,
  signal?: AbortSignal,
): Promise<BackendProblem[]> {
  const all = libraries(folder);
  if (all.every(isSettled)) return Promise.resolve(problemsOf(all));
  const work = last.then(() => loadInTurn(all, signal));
  last = work.catch(() => undefined);
  return work;
}

/**
 * {@link loadBackends} on the calling thread, which it holds up for as long as the drivers take to
 * start, but not for a load that is under way: then a library is not loaded now, which is a problem
 * of its own.
 */
export function loadBackendsNow(folder: string | undefined): BackendProblem[] {
  const all = libraries(folder);
  const busy: BackendProblem[] = [];
  for (const candidate of all) {
    const { path, backend } = candidate;
    if (isSettled(candidate)) continue;
    const failed = problemOf(path, tryNow(path));
    const result = failed === undefined ? native().loadBackendNow(path, backend) : null;
    if (failed !== undefined) settled.set(path, failed);
    else if (result !== null) settled.set(path, problemOf(path, result));
    // Not for good: a later call tries again.
    else busy.push({ path, reason: "a model is being loaded; ask again when that has ended" });
  }
  return [...problemsOf(all), ...busy];
}
