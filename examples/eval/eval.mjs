// Scores a model on questions with known answers, once for each type of K cache, and prints
// accuracy, agreement and speed as a table.
//
//   node examples/eval/eval.mjs --help
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CACHE_TYPES, isR1Error, loadModel } from "r1-native";

const HELP = `Usage: node examples/eval/eval.mjs [options]

  --model FILE        GGUF file; of a split model the first part (default: the embedded model)
  --questions FILE    JSON lines: {"messages": [...], "answer": "..."} or {"question": "...", "answer": "..."}, and "task" if there are
                      several kinds (default: questions.jsonl beside this program, for the embedded model)
  --cache TYPES       types of the K cache, one run each; the first is what the others are compared with (default: f16,q8_0,q4_0)
  --temp T            temperature; 0: always the likeliest token (default: 0)
  --seed N            of each question, when the temperature is not 0 (default: 1)
  --max-tokens N      longest reply (default: 400)
  --ctx-size N        cells for all sequences together (default: 8192)
  --sequences N       questions side by side (default: 8)
  --threads N         (default: 1)
  --deterministic     one sequence a decode: runs differ by nothing but the cache
  --contains          the answer has to contain the expected one instead of being the same
  --limit N           only the first N questions
  --json              the results as JSON
  --help

An answer counts when it is the expected text, blanks around it aside, and the model ended it by itself. Exit code 0 when all runs were done.`;

const DEFAULT_QUESTIONS = fileURLToPath(new URL("questions.jsonl", import.meta.url));

class UsageError extends Error {}

function readOptions() {
  const string = (value) => ({
    type: "string",
    ...(value === undefined ? {} : { default: value }),
  });
  const options = {
    model: string(),
    questions: string(DEFAULT_QUESTIONS),
    cache: string("f16,q8_0,q4_0"),
    temp: string("0"),
    seed: string("1"),
    "max-tokens": string("400"),
    "ctx-size": string("8192"),
    sequences: string("8"),
    threads: string("1"),
    limit: string("1000000"),
    deterministic: { type: "boolean", default: false },
    contains: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  };
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const number = (name, min, isWhole = true) => {
    const value = Number(values[name]);
    if (values[name].trim() === "" || !(value >= min) || (isWhole && !Number.isInteger(value)))
      throw new UsageError(
        `Expected a ${isWhole ? "whole number" : "number"} from ${min} after --${name} but received "${values[name]}".`,
      );
    return value;
  };
  const cache = values.cache.split(",").map((type) => type.trim());
  for (const type of cache) {
    if (!CACHE_TYPES.includes(type))
      throw new UsageError(
        `"${type}" after --cache is no cache type. There are ${CACHE_TYPES.join(", ")}.`,
      );
  }
  return {
    ...values,
    cache,
    temp: number("temp", 0, false),
    seed: number("seed", 0),
    maxTokens: number("max-tokens", 1),
    contextSize: number("ctx-size", 1),
    sequences: number("sequences", 1),
    threads: number("threads", 1),
    limit: number("limit", 1),
  };
}

async function readQuestions(path, limit) {
  const questions = [];
  let line = 0;
  for await (const text of createInterface({
    input: createReadStream(path),
    crlfDelay: Infinity,
  })) {
    line++;
    if (text.trim() === "") continue;
    let entry;
    try {
      entry = JSON.parse(text);
    } catch (error) {
      throw new UsageError(`Line ${line} of ${path} is no JSON: ${error.message}`);
    }
    const messages = entry?.messages ?? [{ role: "user", content: entry?.question }];
    if (
      typeof entry?.answer !== "string" ||
      !Array.isArray(messages) ||
      messages.some((message) => typeof message?.content !== "string")
    )
      throw new UsageError(
        `Line ${line} of ${path} needs a text "answer", and "messages" or a text "question".`,
      );
    questions.push({ task: String(entry.task ?? "all"), messages, answer: entry.answer });
    if (questions.length === limit) break;
  }
  if (questions.length === 0) throw new UsageError(`${path} holds no questions.`);
  return questions;
}

/** Asks everything with one type of K cache. */
async function runOnce(type, questions, options, signal, onDone) {
  const { sequences, threads, contextSize, deterministic, maxTokens, temp, seed } = options;
  const load = { cacheTypeK: type, sequences, threads, contextSize, deterministic, signal };
  const model = await (options.model === undefined
    ? loadModel(load)
    : loadModel(options.model, load));
  try {
    const results = new Array(questions.length);
    let next = 0;
    let done = 0;
    const started = performance.now();
    const work = async () => {
      for (let i = next++; i < questions.length; i = next++) {
        const { answer, tokens, finishReason } = await model
          .chat(questions[i].messages, { temperature: temp, seed, maxTokens, signal })
          .result();
        results[i] = { answer: answer.trim(), tokens, finishReason };
        onDone(++done);
      }
    };
    // As many as there are sequences: each asks its next question when its last one is answered.
    const workers = await Promise.allSettled(Array.from({ length: sequences }, work));
    const failed = workers.find(({ status }) => status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const seconds = (performance.now() - started) / 1000;
    return { type, results, seconds, cache: model.info.cache };
  } finally {
    await model.close();
  }
}

function score(run, first, questions, contains) {
  const tasks = new Map();
  let [right, sameAnswer, sameTokens, tokens] = [0, 0, 0, 0];
  for (const [i, { task, answer }] of questions.entries()) {
    const got = run.results[i];
    const wanted = answer.trim();
    const isRight =
      got.finishReason === "stop" &&
      (contains ? got.answer.includes(wanted) : got.answer === wanted);
    const sum = tasks.get(task) ?? { right: 0, count: 0 };
    tasks.set(task, { right: sum.right + Number(isRight), count: sum.count + 1 });
    right += Number(isRight);
    sameAnswer += Number(got.answer === first.results[i].answer);
    sameTokens += Number(
      Buffer.from(got.tokens.buffer).equals(Buffer.from(first.results[i].tokens.buffer)),
    );
    tokens += got.tokens.length;
  }
  const { type, seconds, cache } = run;
  return {
    type,
    cache,
    questions: questions.length,
    right,
    sameAnswer,
    sameTokens,
    tokens,
    seconds,
    tasks: Object.fromEntries(tasks),
  };
}

function table(scores) {
  const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
  const names = scores.map(({ type }) => type);
  const first = names[0];
  const rows = [
    ["K cache", ...names],
    ["accuracy", ...scores.map(({ right, questions }) => percent(right, questions))],
    [
      `same answer as ${first}`,
      ...scores.map(({ sameAnswer, questions }) => percent(sameAnswer, questions)),
    ],
    [
      `same tokens as ${first}`,
      ...scores.map(({ sameTokens, questions }) => percent(sameTokens, questions)),
    ],
    ["tokens/s", ...scores.map(({ tokens, seconds }) => (tokens / seconds).toFixed(0))],
    ["cache, bytes", ...scores.map(({ cache }) => String(cache.bytes))],
  ];
  const tasks = Object.keys(scores[0].tasks);
  if (tasks.length > 1)
    for (const task of tasks)
      rows.push([
        `accuracy: ${task}`,
        ...scores.map((one) => percent(one.tasks[task].right, one.tasks[task].count)),
      ]);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map(
    (row) =>
      `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join(" | ")} |`,
  );
  lines.splice(
    1,
    0,
    `| ${widths.map((width, column) => "-".repeat(width - (column === 0 ? 0 : 1)) + (column === 0 ? "" : ":")).join(" | ")} |`,
  );
  return lines.join("\n");
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const questions = await readQuestions(options.questions, options.limit);
  const controller = new AbortController();
  // A second Ctrl-C ends the process at once.
  process.once("SIGINT", () => controller.abort(new UsageError("stopped")));
  const isTerminal = process.stderr.isTTY;
  const runs = [];
  for (const type of options.cache) {
    const label = `${type}: `;
    const step = isTerminal ? 1 : Math.max(1, Math.ceil(questions.length / 4));
    const tell = (done) => {
      if (done % step !== 0 && done !== questions.length) return;
      process.stderr.write(
        `${isTerminal ? "\r" : ""}${label}${done} of ${questions.length}${isTerminal && done < questions.length ? "" : "\n"}`,
      );
    };
    try {
      runs.push(await runOnce(type, questions, options, controller.signal, tell));
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      process.stderr.write(`\nstopped${runs.length === 0 ? "" : "; the runs that were done:"}\n`);
      break;
    }
  }
  const scores = runs.map((run) => score(run, runs[0], questions, options.contains));
  if (scores.length > 0)
    console.log(options.json ? JSON.stringify(scores, null, 2) : table(scores));
  return controller.signal.aborted ? 130 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError) && !isR1Error(error) && error?.code !== "ENOENT") throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
