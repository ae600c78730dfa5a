// Four ways to end a reply early: a signal, cancel(), a time limit, and leaving the loop. What has
// been generated is kept, and the model goes on with the next request at once.
//
//   node examples/abort.mjs [MODEL]
import { isR1Error, loadModel } from "r1-native";

const model = await loadModel(process.argv[2]);
const messages = [{ role: "user", content: "What is 1+1?" }];
// Without an end of its own.
const endless = { ignoreEos: true, loopGuard: false };

const controller = new AbortController();
const bySignal = model.chat(messages, { ...endless, signal: controller.signal });
setTimeout(() => controller.abort(), 100);
console.log("signal:", (await bySignal.result()).finishReason);

const byCancel = model.chat(messages, endless);
setTimeout(() => byCancel.cancel(), 100);
console.log("cancel():", (await byCancel.result()).finishReason);

const byTime = model.chat(messages, { ...endless, timeoutMs: 100 });
console.log("time limit:", (await byTime.result()).finishReason);

const byBreak = model.chat(messages, endless);
let parts = 0;
for await (const part of byBreak) if (part.type.endsWith("-delta") && ++parts === 5) break;
console.log("break:", (await byBreak.result()).finishReason);

// A loop over a reply that was aborted throws the signal's reason.
const reason = new Error("the user went away");
const aborted = model.chat(messages, { ...endless, signal: AbortSignal.abort(reason) });
try {
  for await (const part of aborted) console.log(part.type);
} catch (error) {
  console.log("loop:", error === reason ? error.message : isR1Error(error) && error.code);
}
await model.close();
