// Finds ggml's backend libraries beside the addon, in one more folder and in installed GPU
// packages, tries each in a separate process, and loads those that work. loadBackends() does not
// block the JavaScript thread.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { builtModule, endOf, lastWords, startChild } from "../base/child.js";
import type { ChildEnd } from "../base/child.js";
import { ownVersion } from "../base/package.js";
import { scriptStart } from "../base/runtime.js";
import { endWhenStopped } from "../base/stopped.js";
import { addonFolder, native } from "./load.js";
import type { NativeBackendResult } from "./native-backends.js";
import { gpuPackages, isOwnVersion, platformName } from "./platform-package.js";
import type { InstalledPackage } from "./platform-package.js";

/** A library that was not loaded, and the reason. */
export interface BackendProblem {
  readonly path: string;
  readonly reason: string;
}

/**
 * The backends that may be added, by the NAME in `libggml-NAME.so` (Windows: `ggml-NAME.dll`), with
 * ggml's name for each loaded one. CPU and RPC are part of every build of the addon. The order is
 * ggml's own.
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

/** How ggml names the library of a backend; on macOS too it ends in .so. */
const [PREFIX, SUFFIX] =
  process.platform === "win32" ? (["ggml-", ".dll"] as const) : (["libggml-", ".so"] as const);

const PROGRAM = builtModule(new URL("./backend-trial.js", import.meta.url));

/**
 * A driver that starts for the first time may have to compile for its device. Unit: milliseconds.
 */
const TRIAL_LIMIT_MS = 180_000;

interface Candidate {
  readonly path: string;
  /** ggml's name of the backend. */
  readonly backend: string;
}

/**
 * Libraries of backends that are not loaded yet, those beside the addon first. An unreadable folder
 * counts as empty.
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
          file === `${PREFIX}${name}${SUFFIX}` ||
          (file.startsWith(`${PREFIX}${name}-`) && file.endsWith(SUFFIX)),
      )
      .map((file) => ({ path: join(folder, file), backend })),
  );
}

/** Whether a folder contains a library that could be loaded. */
export function holdsLibraries(folder: string): boolean {
  return candidates(folder).length > 0;
}

/** Returns what the trial process reported, or how it ended. */
function verdict(report: string, end: ChildEnd, errors: string): NativeBackendResult {
  try {
    return JSON.parse(report) as NativeBackendResult;
  } catch {
    const how = end.signal === "SIGKILL" ? "did not finish in time" : endOf(end);
    const words = lastWords(errors);
    return {
      reason:
        "a process that tried it " +
        `${how}${words === "" ? "" : `; its last output: ${words.slice(0, 300)}`}`,
      backend: "",
      devices: [],
    };
  }
}

function tryNow(path: string): NativeBackendResult {
  const { file, args, env } = scriptStart(PROGRAM, { args: [path] });
  const { output, signal, status, error } = spawnSync(file, args, {
    env,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    timeout: TRIAL_LIMIT_MS,
    killSignal: "SIGKILL",
  });
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
  return verdict(report, end, isStopped ? "it was stopped for ten seconds" : child.tail);
}

/**
 * Returns the problem to report for a library, or undefined. A library without devices is a
 * problem.
 */
function problemOf(
  path: string,
  { reason, devices }: NativeBackendResult,
): BackendProblem | undefined {
  if (reason !== "") return { path, reason };
  return devices.length > 0
    ? undefined
    : { path, reason: "it finds no device; its driver may be missing" };
}

/** The result for each library in this environment. */
const settled = new Map<string, BackendProblem | undefined>();

/**
 * The libraries beside the addon, in the folder, and in the installed GPU packages. A package of
 * another version is a problem that is known without a trial.
 */
function libraries(folder: string | undefined): Candidate[] {
  const found = [addonFolder(), ...(folder === undefined ? [] : [folder])].flatMap(candidates);
  for (const gpu of gpuPackages(platformName())) {
    const inside = candidates(gpu.folder);
    found.push(...inside);
    if (isOwnVersion(gpu)) continue;
    const reason = versionProblem(gpu);
    for (const { path } of inside) settled.set(path, { path, reason });
  }
  return found;
}

function versionProblem({ name, version }: InstalledPackage): string {
  const own = ownVersion() ?? "unknown";
  return (
    `${name} is version ${version ?? "unknown"} and r1-native is version ${own}; ` +
    `run \`npm install ${name}@${own}\``
  );
}

/**
 * Whether nothing is left to do: the library was tried before, another library provides this
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
 * Loads the backends beside the addon, in `folder` and in GPU packages. A backend that is already
 * loaded is not loaded again.
 *
 * @param signal - Ends a running trial; nothing is then known about its library.
 * @returns The libraries that could not be loaded, now or at an earlier call; the available devices
 * can be used.
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
 * {@link loadBackends} on the calling thread. It blocks while the drivers start, but never waits
 * for another load: then the library is not loaded now, and the result reports that as a problem.
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
    // Not permanent: a later call tries again.
    else busy.push({ path, reason: "a model is being loaded; call again when that has finished" });
  }
  return [...problemsOf(all), ...busy];
}
