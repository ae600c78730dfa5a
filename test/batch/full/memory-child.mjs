// One measurement of memory and time over a million rows, in a process of its own; prints JSON.
//
//   node memory-child.mjs model | run FOLDER ROWS | resume FOLDER ROWS
import { createWriteStream, renameSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { loadModel } from "../../../dist/index.js";
import { runBatchFile } from "../../../dist/batch.js";

const [kind, folder = ".", count = "0"] = process.argv.slice(2);
const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
const load = () => loadModel({ sequences: 4, contextSize: 2048, threads: 1 });

/** Writes a line for each number, without holding them. */
async function write(path, lineOf, from = 0) {
  const file = createWriteStream(path, { flags: from === 0 ? "w" : "a" });
  for (let i = from; i < Number(count); i++)
    if (!file.write(`${lineOf(i)}\n`)) await once(file, "drain");
  file.end();
  await once(file, "finish");
}

const prompt = (i) => `What is ${i % 90}+${i % 10}?`;
const rowOf = (i) => JSON.stringify({ id: `q${i}`, prompt: prompt(i) });
const recordOf = (i) =>
  JSON.stringify({
    id: `q${i}`,
    sample: 0,
    prompt: prompt(i),
    reasoning: "Ones: 2+2=4, carry 0, so 4. ".repeat(4),
    answer: "It's 4.",
    finish_reason: "stop",
    prompt_tokens: 10,
    completion_tokens: 40,
    seed: i,
    attempt: 1,
    model: "0".repeat(64),
  });

const start = performance.now();
let seconds = 0;
let done = 0;
if (kind === "model") await (await load()).close();
else if (kind === "files") {
  await write(input, rowOf);
} else if (kind === "run") {
  // Looks through all rows, and is stopped when 2,000 of them are done.
  const stop = new AbortController();
  await runBatchFile(load, {
    input,
    output,
    maxTokens: 8,
    signal: stop.signal,
    onOutcome: () => {
      if (++done === 2000) stop.abort(new Error("enough"));
    },
  }).catch((error) => {
    if (error.message !== "enough") throw error;
  });
} else {
  // A whole output beside the header that the run left.
  if (kind === "records") {
    await write(`${output}.new`, recordOf);
    renameSync(`${output}.new`, output);
  } else {
    const summary = await runBatchFile(
      () => {
        throw new Error("there is nothing to do");
      },
      { input, output, maxTokens: 8 },
    );
    done = summary.done;
  }
}
seconds = (performance.now() - start) / 1000;
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
console.log(JSON.stringify({ kind, seconds, cpuSeconds, done, peakMB: maxRSS / 1000 }));
