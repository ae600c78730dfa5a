// The processor time of JavaScript's thread for a token of `model.chat`, read by `for await`, with
// many generations at once. Runs in a child process.
import { processorMs } from "../core/http-servers.mjs";
import { loadModel } from "./library.mjs";

export async function run({ path, threads, sequences, contextSize, clients, bodies }) {
  const model = await loadModel(path, { threads, sequences, contextSize, kvUnified: true });
  const all = async () => {
    let tokens = 0;
    const left = bodies.values();
    await Promise.all(
      Array.from({ length: clients }, async () => {
        for (const { messages, max_tokens: maxTokens, seed } of left) {
          const run = model.chat(messages, { maxTokens, seed, ignoreEos: true, temperature: 0.6 });
          for await (const part of run) void part;
          tokens += (await run.result()).usage.completionTokens;
        }
      }),
    );
    return tokens;
  };
  await all();
  const before = processorMs(process.pid, true);
  const tokens = await all();
  const tokenUs = ((processorMs(process.pid, true) - before) / tokens) * 1000;
  await model.close();
  return { tokenUs };
}
