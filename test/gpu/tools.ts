// What the GPU tests share: which device they run on, a model on it, and the texts that say what is
// right. Runs on the test's thread.
import type { Model } from "../../lib/model/model.js";
import type { LoadOptions } from "../../lib/weights/load-options.js";
import { loadTiny } from "../fixtures/tiny.js";

function fromSetup(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(
      `${name} is not set: run these tests by \`npm run test:gpu\` or \`npm run test:cuda\``,
    );
  return value;
}

/** The device's name: Vulkan0, CUDA0. */
export const DEVICE = fromSetup("R1_TEST_GPU_DEVICE");

/** The folder of the backend's library; empty: it is built in. */
export const BACKEND_DIR = fromSetup("R1_TEST_BACKEND_DIR");

/** Options and flags that make the device known to a process. */
export const BACKEND: LoadOptions = BACKEND_DIR === "" ? {} : { backendDir: BACKEND_DIR };
export const BACKEND_FLAGS: readonly string[] =
  BACKEND_DIR === "" ? [] : ["--backend-dir", BACKEND_DIR];

/** Whether cores compute what a GPU would. */
export const IS_SOFTWARE = fromSetup("R1_TEST_GPU_KIND") === "software";

/**
 * One token at a time, also of prompts: a software device compiles its shaders for half a minute
 * then, and for minutes otherwise. stopping.test.ts has micro-batches of 2.
 */
export const WIDTH: LoadOptions = IS_SOFTWARE ? { ubatchSize: 1, warmup: false } : {};

export const loadOnGpu = (options: LoadOptions = {}): Promise<Model> =>
  loadTiny({ contextSize: 1024, ...BACKEND, ...WIDTH, ...options });

/** Nothing of it on a GPU, also where one is known to the process. */
export const loadOnCpu = (options: LoadOptions = {}): Promise<Model> =>
  loadTiny({ contextSize: 1024, gpuLayers: 0, opOffload: false, ...WIDTH, ...options });

export const QUESTION = [{ role: "user", content: "What is 12+30?" }] as const;

/** Greedy, so that devices can be compared; long enough for a sentence of reasoning. */
export const REPLY = { temperature: 0, maxTokens: IS_SOFTWARE ? 16 : 128 } as const;

export async function answer(model: Model): Promise<{ text: string; tokensPerSecond: number }> {
  const { text, timings } = await model.chat([...QUESTION], REPLY).result();
  return { text, tokensPerSecond: timings.tokensPerSecond };
}

/** Loads, closes. */
export async function infoOf(options: LoadOptions): Promise<Model["info"]> {
  const model = await loadOnGpu(options);
  await model.close();
  return model.info;
}

/** Loads, asks, closes. */
export async function answerOf(
  options: LoadOptions,
): Promise<{ text: string; tokensPerSecond: number; info: Model["info"] }> {
  const model = await loadOnGpu(options);
  try {
    return { ...(await answer(model)), info: model.info };
  } finally {
    await model.close();
  }
}

export const bytesOn = (info: Model["info"], device: string): number =>
  info.memory.find((place) => place.device === device)?.weightBytes ?? 0;
