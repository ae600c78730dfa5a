// What the GPU tests share: the folder of the backend library, a model on the device, and the texts that say what is right. Runs on the test's thread.
import type { Model } from "../../lib/chat/model.js";
import type { LoadOptions } from "../../lib/model/load-options.js";
import { loadTiny } from "../fixtures/tiny.js";

function fromSetup(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run these tests by \`npm run test:gpu\``);
  return value;
}

export const BACKEND_DIR = fromSetup("R1_TEST_VULKAN_DIR");

/** One token at a time, also of prompts: a software device compiles its shaders for half a minute then, and for minutes otherwise. stopping.test.ts has micro-batches of 2. */
export const ONE_BY_ONE = { ubatchSize: 1, warmup: false } as const;

export const loadOnGpu = (options: LoadOptions = {}): Promise<Model> => loadTiny({ contextSize: 1024, backendDir: BACKEND_DIR, ...ONE_BY_ONE, ...options });

export const QUESTION = [{ role: "user", content: "What is 12+30?" }] as const;

/** Greedy, so that devices can be compared; long enough for a sentence of reasoning. */
export async function answer(model: Model): Promise<{ text: string; tokensPerSecond: number }> {
  const { text, timings } = await model.chat([...QUESTION], { temperature: 0, maxTokens: 16 }).result();
  return { text, tokensPerSecond: timings.tokensPerSecond };
}

/** Loads, closes. */
export async function infoOf(options: LoadOptions): Promise<Model["info"]> {
  const model = await loadOnGpu(options);
  await model.close();
  return model.info;
}

/** Loads, asks, closes. */
export async function answerOf(options: LoadOptions): Promise<{ text: string; tokensPerSecond: number; info: Model["info"] }> {
  const model = await loadOnGpu(options);
  try {
    return { ...(await answer(model)), info: model.info };
  } finally {
    await model.close();
  }
}

export const bytesOn = (info: Model["info"], device: string): number => info.memory.find((place) => place.device === device)?.weightBytes ?? 0;
