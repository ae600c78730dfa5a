// The programs that the tests of packages run in a user's project.

/** Prints the code and the message of the error that the load ends with; takes a model's path. */
export const FAILING = `import { loadModel } from "r1-native";
try {
  const model = await loadModel(process.argv[2]);
  await model.close();
  console.log("no error");
} catch (error) {
  console.log(error.code + ": " + error.message);
}
`;

/**
 * What a server does with a model: streams, aborts in the middle, compiles a schema in a child
 * process, uses a worker thread and an engine in a process of its own, and ends by itself.
 */
export const RUNTIME = `import { Worker } from "node:worker_threads";
import { loadModel } from "r1-native";
const check = (is, what) => { if (!is) throw new Error(what); console.log("ok: " + what); };
const question = [{ role: "user", content: "What is 1+1?" }];
const greedy = { temperature: 0, seed: 1 };
const model = await loadModel();
let pieces = 0;
let text = "";
for await (const part of model.chat(question, greedy))
  if ("text" in part) { pieces += 1; text += part.text; }
check(pieces > 1 && text.includes("2"), "streaming");
const controller = new AbortController();
// Never done before the abort, however late this thread is.
const endless = { maxTokens: 2500, ignoreEos: true };
let seen = 0;
let reason = "none";
try {
  for await (const part of model.chat(question, { ...endless, signal: controller.signal }))
    if (++seen === 3) controller.abort(new Error("enough"));
} catch (error) { reason = error.message; }
check(seen < 40 && reason.includes("enough"), "abort");
// One that is compiled in a child process.
const schema = { type: "object", properties: { sum: { type: "integer" } }, required: ["sum"],
  patternProperties: { "^x-": { type: "string" } } };
const shaped = await model.chat(question, { ...greedy, response: { schema } }).result();
check(Number.isInteger(JSON.parse(shaped.answer).sum), "schema");
const answer = await new Promise((resolve, reject) => {
  const worker = new Worker(new URL("./worker.mjs", import.meta.url));
  worker.once("message", resolve);
  worker.once("error", reject);
});
check(answer.includes("2"), "worker");
const isolated = await loadModel(undefined, { isolation: "process" });
const apart = await isolated.chat(question, greedy).result();
check(apart.answer.includes("2"), "isolation");
await isolated.close();
await model.close();
check(true, "end");
`;

/** The worker thread of {@link RUNTIME}. */
export const WORKER = `import { parentPort } from "node:worker_threads";
import { loadModel } from "r1-native";
const model = await loadModel();
const run = model.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0, seed: 1 });
const { answer } = await run.result();
await model.close();
parentPort.postMessage(answer);
`;

/** Ends the process in the middle of a reply, with the model open. */
export const EXIT = `import { loadModel } from "r1-native";
const model = await loadModel();
for await (const part of model.chat([{ role: "user", content: "Count." }], { maxTokens: 400 }))
  process.exit(7);
`;
