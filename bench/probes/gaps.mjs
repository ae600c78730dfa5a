// Measures the longest delay of the event loop during everything that may block it, compared with
// the same loop idle. Runs in a child process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { CONVERSATIONS, GRAMMARS, SCHEMAS, TEXTS } from "../core/hostile.mjs";
import { devices, loadModel } from "./library.mjs";

/** Of R1's cells model: 256 KiB a token. */
const SESSION_TOKENS = 1900;

/** The longest delay while `work` runs and a moment after, in milliseconds; how `work` ended. */
async function gapOf(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await sleep(5);
  histogram.reset();
  // The first delay after that is not counted.
  await sleep(5);
  let outcome = "ok";
  let value;
  try {
    value = await work();
  } catch (error) {
    if (typeof error?.code !== "string" || !("retriable" in error)) throw error;
    outcome = error.code;
  }
  await sleep(10);
  histogram.disable();
  return { gap: histogram.max / 1e6, outcome, value };
}

const idle = async () => (await gapOf(() => sleep(2000))).gap;

/** Runs each input by itself; the input is made before the clock starts. */
async function each(inputs, ask) {
  const found = [];
  for (const [name, make] of Object.entries(inputs)) {
    const input = make();
    await sleep(20);
    const { gap, outcome } = await gapOf(() => ask(input));
    found.push({ name, gap, outcome });
  }
  return found;
}

const RAW = { maxTokens: 3, seed: 1 };
const ANSWER = { ...RAW, reasoning: { mode: "off" } };

function askers(model) {
  return {
    "texts, encodeAsync": [TEXTS, (text) => model.tokenizer.encodeAsync(text)],
    "texts, chat": [
      TEXTS,
      (text) => model.chat([{ role: "user", content: text }], ANSWER).result(),
    ],
    "texts, complete": [TEXTS, (text) => model.complete(text, RAW).result()],
    schemas: [
      SCHEMAS,
      (schema) =>
        model.chat([{ role: "user", content: "hi" }], { ...ANSWER, response: { schema } }).result(),
    ],
    grammars: [
      GRAMMARS,
      (grammar) =>
        model
          .chat([{ role: "user", content: "hi" }], { ...ANSWER, response: { grammar } })
          .result(),
    ],
    conversations: [
      CONVERSATIONS,
      ({ messages, options }) => model.chat(messages, { ...ANSWER, ...options }).result(),
    ],
  };
}

async function inputs(model) {
  const found = { idle: [{ name: "before", gap: await idle(), outcome: "ok" }] };
  for (const [name, [list, ask]] of Object.entries(askers(model)))
    found[name] = await each(list, ask);
  found.idle.push({ name: "after", gap: await idle(), outcome: "ok" });
  return found;
}

const openModel = ({ path, threads, ...options }) =>
  loadModel(path, { threads, contextSize: 4096, sequences: 2, trial: "never", ...options });

/** Inputs in this process's main thread. */
export async function inMain(options) {
  const model = await openModel(options);
  const found = await inputs(model);
  await model.close();
  return found;
}

/** The same for a model in a process of its own. */
export const isolated = (options) => inMain({ ...options, isolation: "process" });

/** The same in a worker thread. */
export function inWorker(options) {
  const worker = new Worker(new URL(import.meta.url), { workerData: options });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

async function sessions(model, section) {
  const folder = mkdtempSync(join(tmpdir(), "r1-bench-"));
  const file = join(folder, "a.session");
  const words = "alpha beta gamma delta river stone cloud seven winter green ".split(" ");
  const system = Array.from({ length: SESSION_TOKENS }, (_, i) => words[(i * 7919) % 10]).join(" ");
  const session = model.session({ system, ...ANSWER });
  await session.send("q").result();
  try {
    await section("saving to a file", () => session.save(file));
    const { value: bytes } = await section("saving to bytes", () => session.save());
    for (const [name, from] of [
      ["restoring from a file", file],
      ["restoring from bytes", bytes],
    ])
      (await section(name, () => model.restoreSession(from))).value.reset();
    return bytes.length;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Loading, devices() meanwhile, and a session of 500 MB of cells, `rounds` times. */
export async function states({ path, threads, rounds }) {
  const found = {};
  const section = async (name, work) => {
    const { gap, outcome, value } = await gapOf(work);
    (found[name] ??= []).push({ name, gap, outcome });
    return { value };
  };
  const idling = () => section("idle", () => sleep(2000));
  let bytes = 0;
  for (let i = 0; i < rounds; i++) {
    await idling();
    const options = { threads, contextSize: 4 * 4096, sequences: 4, trial: "never" };
    const { value: model } = await section("loading", () => loadModel(path, options));
    await section("devices() while a model loads", async () => {
      const other = loadModel(path, options);
      await devices();
      await (await other).close();
    });
    bytes = await sessions(model, section);
    await section("closing", () => model.close());
    await idling();
  }
  return { found, bytes };
}

if (!isMainThread && workerData !== null) parentPort.postMessage(await inMain(workerData));
