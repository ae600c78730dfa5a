// One full-size run of r1-native, told step by step as lines of JSON. "answer": loads with the
// documented options, answers, closes. "load": loads without a warm-up, closes, then loads once
// more and gives that up half-way. A process of its own; needs dist/ and the addon.
import { loadModel } from "../../dist/index.js";

const [path, mode, prompt, threads] = process.argv.slice(2);
const started = performance.now();
const tell = (event, facts = {}) =>
  process.stdout.write(`${JSON.stringify({ event, ms: performance.now() - started, ...facts })}\n`);
// The documented command's options.
const options = {
  contextSize: 8192,
  cacheTypeK: "q4_0",
  priority: "high",
  threads: Number(threads),
  warmup: mode === "answer",
};

const model = await loadModel(path, {
  ...options,
  onProgress: (progress) => tell("progress", { progress }),
});
tell("ready", {
  cacheTypes: [model.info.cache.typeK, model.info.cache.typeV],
  contextSize: model.info.contextSize,
  priority: model.info.priority,
});
if (mode === "answer") {
  const run = model.complete(prompt, {
    temperature: 0.6,
    seed: 3407,
    maxTokens: 3,
    ignoreEos: true,
  });
  for await (const part of run) if (part.type.endsWith("-delta")) tell("text", { text: part.text });
  const { tokens, text, usage, timings } = await run.result();
  tell("answer", { tokens: [...tokens], text, usage, timings });
}
await model.close();
tell("closed");
if (mode === "load") await giveUpHalfWay();

async function giveUpHalfWay() {
  const controller = new AbortController();
  const reason = new Error("given up half-way");
  let abortedAt = 0;
  const onProgress = (progress) => {
    if (progress < 0.5 || abortedAt > 0) return;
    abortedAt = performance.now();
    controller.abort(reason);
  };
  const outcome = await loadModel(path, { ...options, signal: controller.signal, onProgress }).then(
    () => "loaded",
    (error) => (error === reason ? "rejected with the reason" : String(error)),
  );
  tell("second load", { outcome, afterAbortMs: performance.now() - abortedAt });
}
// What native code still holds goes by itself; the process ends when nothing is left to do.
process.on("exit", () => tell("end"));
