// The drivers of llama.cpp's own programs, built from the same vendored tree: llama-bench,
// llama-batched-bench and the load time of llama-completion. Main process.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../core/processes.mjs";

/** Path of an upstream program; throws with what to do when it is not built. */
export function tool(bench, name) {
  const path = join(bench.tools, name);
  if (!existsSync(path))
    throw new Error(`${path} is not there; build it with: node scripts/build.mjs --bench-tools`);
  return path;
}

/** Their flags for `gpuLayers` as loadModel has it; none: their own choice. */
export function gpuFlags({ gpuLayers }) {
  return gpuLayers === undefined ? [] : ["-ngl", gpuLayers === "all" ? 999 : gpuLayers];
}

/**
 * Tokens a second of llama-bench: `prompt` tokens of prompt, or `generate` tokens after `depth`
 * others.
 */
export async function llamaBench(
  bench,
  { path, prompt = 0, generate = 0, depth = 0, poll = 50, threads = bench.threads },
) {
  const args = [
    "-m",
    path,
    ...gpuFlags(bench),
    "-t",
    threads,
    "-p",
    prompt,
    "-n",
    generate,
    "-d",
    depth,
    "-r",
    1,
    "--poll",
    poll,
    "-o",
    "json",
  ];
  const { out } = await runProgram(tool(bench, "llama-bench"), args);
  return JSON.parse(out)[0].avg_ts;
}

/** Decoded tokens a second over all sequences, of llama-batched-bench. */
export async function batchedBench(bench, sizes) {
  return (await batchedRow(bench, sizes)).speed_tg;
}

/** What llama-batched-bench reports of one run: `t_pp` and `t_tg` in seconds, `speed_tg`. */
export async function batchedRow(
  bench,
  { path, sequences, prompt, generate, contextSize, unified },
) {
  const sizes = [
    "-c",
    contextSize,
    "-b",
    2048,
    "-ub",
    512,
    "-npp",
    prompt,
    "-ntg",
    generate,
    "-npl",
    sequences,
    unified ? "-kvu" : "-no-kvu",
  ];
  const args = [
    "-m",
    path,
    ...gpuFlags(bench),
    "-t",
    bench.threads,
    "-tb",
    bench.threads,
    ...sizes,
    "--output-format",
    "jsonl",
  ];
  const { out } = await runProgram(tool(bench, "llama-batched-bench"), args);
  const row = out.split("\n").find((line) => line.startsWith("{"));
  if (row === undefined) throw new Error("llama-batched-bench printed no result");
  return JSON.parse(row);
}

/** A time stamp of llama.cpp's log (minutes.seconds.milliseconds.microseconds), in milliseconds. */
function stampOf(line) {
  const [minutes, seconds, millis, micros] = line.split(" ")[0].split(".").map(Number);
  return (minutes * 60 + seconds) * 1000 + millis + micros / 1000;
}

/**
 * Milliseconds from llama-completion's call of its load to the end of its warm-up, by the time
 * stamps of its log: model, context and warm-up, without the process's own start. What it prints as
 * `load time` begins later, when the file's header has been read (t_start_us in llama_model_load).
 */
export async function upstreamLoad(bench, { path, contextSize }) {
  const common = [
    "-m",
    path,
    ...gpuFlags(bench),
    "-t",
    bench.threads,
    "-c",
    contextSize,
    "-fit",
    "off",
    "-no-cnv",
  ];
  const args = [...common, "-n", 1, "-p", "a", "--no-display-prompt", "--log-timestamps"];
  const { errors, out } = await runProgram(tool(bench, "llama-completion"), args);
  const lines = (errors + out).split("\n");
  const [begun, ready] = [/ load the model/, / system_info: /].map((wanted) =>
    lines.find((line) => wanted.test(line)),
  );
  if (begun === undefined || ready === undefined)
    throw new Error("llama-completion's log does not tell when it loaded");
  return stampOf(ready) - stampOf(begun);
}
