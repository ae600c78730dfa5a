// Stops generations, prompts, loads and the process. Runs in the tested Node.
import { loadModel } from "../../../dist/index.js";
import { check, codeOf, report } from "../report.mjs";

const ENDLESS = { temperature: 0, maxTokens: 100_000, ignoreEos: true, loopGuard: false };

await report(async () => {
  const model = await loadModel(undefined, { contextSize: 4096 });
  const controller = new AbortController();
  const run = model.complete("x", { ...ENDLESS, signal: controller.signal });
  let pieces = 0;
  try {
    for await (const part of run) if (part.text !== undefined && ++pieces === 5) controller.abort();
  } catch (error) {
    check(error === controller.signal.reason, "the loop throws the signal's reason", `${error}`);
  }
  const stopped = await run.result();
  check(stopped.finishReason === "aborted", "an abort ends a reply", stopped.finishReason);
  const left = model.complete("x", ENDLESS);
  for await (const part of left) if (part.text !== undefined) break;
  const { finishReason } = await left.result();
  check(finishReason === "aborted", "leaving the loop ends a reply", finishReason);
  const late = await model.complete("x", { ...ENDLESS, timeoutMs: 300 }).result();
  check(late.finishReason === "timeout", "a time limit ends a reply", late.finishReason);
  const again = model.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 });
  check((await again.result()).answer.includes("2"), "the model goes on", 0);
  const gone = AbortSignal.abort(new Error("gone"));
  check((await codeOf(loadModel(undefined, { signal: gone }))) !== undefined, "no load", 0);
  // The process ends while this runs; run.mjs sees that it does.
  void model
    .complete("x", ENDLESS)
    .result()
    .catch(() => undefined);
  setTimeout(() => process.exit(0), 200);
  return { pieces: stopped.tokens.length };
});
