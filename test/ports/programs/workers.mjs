// Two worker threads with a model each, one that is terminated in the middle of a reply, and a new
// one after all have ended. Runs in the tested Node.
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { loadModel } from "../../../dist/index.js";
import { check, report } from "../report.mjs";

const start = (kind) => new Worker(new URL(import.meta.url), { workerData: kind });

async function answer() {
  const model = await loadModel();
  const { answer: text } = await model
    .chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 })
    .result();
  await model.close();
  parentPort.postMessage(text);
}

async function runOn() {
  const model = await loadModel();
  const endless = { temperature: 0, maxTokens: 100_000, ignoreEos: true, loopGuard: false };
  for await (const part of model.complete("x", endless))
    if (part.text !== undefined) parentPort.postMessage("running");
}

async function answerOf(worker) {
  const [[text]] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
  return text;
}

async function main() {
  const both = await Promise.all([start("answer"), start("answer")].map(answerOf));
  check(both[0] === both[1] && both[0].includes("2"), "two workers answer", both);
  const left = start("endless");
  await once(left, "message");
  await left.terminate();
  const last = await answerOf(start("answer"));
  check(last === both[0], "a worker after them answers", last);
  return { workers: 4 };
}

if (isMainThread) await report(main);
else await (workerData === "answer" ? answer() : runOn());
