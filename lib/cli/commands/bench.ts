// `r1-native bench`: how fast a model is on this machine, by llama-bench's definitions. Main
// thread; the model runs on its own thread.
import { cpus } from "node:os";
import type { Command } from "commander";
import { documentAddress } from "../../base/documents.js";
import { R1Error } from "../../base/errors.js";
import type { ModelInfo } from "../../index.js";
import { modelText, placeText } from "../banner.js";
import { llamaBenchLine, readLlamaBench } from "../bench/llama-bench.js";
import { cellsOf, measure, testsOf, type BenchPlan, type BenchResult } from "../bench/measure.js";
import { COMMAND_FLAGS } from "../command-flags.js";
import { Interrupted, watchSignals } from "../exit.js";
import { tableText } from "../file-work.js";
import { addFlags, collect, setWords, type OptionBag } from "../flags.js";
import { useProxy } from "../network.js";
import { openModel } from "../open-model.js";
import { write } from "../render.js";
import { reportText } from "../report-json.js";
import { loadOptionsOf } from "../settings.js";
import { forTerminal } from "../wrap.js";

const HELP = `
Tests: ppN computes a prompt of N random tokens; tgN generates N tokens after an empty prompt; tgN x S does so in S
streams at the same time, and its figure is that of all together. All are tokens per second, mean ± standard deviation.
Unlike llama-bench, tg chooses every token with the samplers and turns it into text.

Examples:
  r1-native bench -m model.gguf
  r1-native bench -m model.gguf -p 512 -n 128 --streams 2,4,8 -r 3 --json
  llama-bench -m model.gguf -o json > upstream.json
  r1-native bench -m model.gguf --llama-bench upstream.json

See ${documentAddress("reference/cli.md")} for details.`;

/** A result beside llama-bench's figure, if there is one. */
interface Compared extends BenchResult {
  readonly llamaBench?: number;
  /** Our mean over llama-bench's. */
  readonly ratio?: number;
}

function planOf({ run }: OptionBag): BenchPlan {
  const {
    prompt = 512,
    generate = 128,
    streams = [4],
    repetitions = 5,
  } = run as Partial<BenchPlan>;
  if (prompt === 0 && generate === 0)
    throw new R1Error(
      "INVALID_ARGUMENT",
      "Nothing to measure: --n-prompt and --n-gen are both 0.",
      {
        details: { option: "--n-prompt" },
      },
    );
  return { prompt, generate, streams: generate > 0 ? streams : [1], repetitions };
}

/** The options of the load: room for all streams, and nothing that shortens the work. */
function loadOf(bag: OptionBag, plan: BenchPlan): Record<string, unknown> {
  const sequences = Math.max(1, ...plan.streams);
  const given = loadOptionsOf(bag);
  const cells = Math.ceil(cellsOf(plan) / 256) * 256;
  return {
    contextSize: cells * sequences,
    ...given,
    sequences,
    kvUnified: false,
    prefixCache: false,
    ...(given["draftModel"] === undefined ? { maxDraft: 0 } : {}),
  };
}

function compare(result: BenchResult, others: ReadonlyMap<string, number> | undefined): Compared {
  const llamaBench = others?.get(result.name);
  return llamaBench === undefined
    ? result
    : { ...result, llamaBench, ratio: result.mean / llamaBench };
}

const rate = (value: number): string => value.toFixed(value < 100 ? 2 : 1);

function table(results: readonly Compared[]): string {
  const isCompared = results.some(({ llamaBench }) => llamaBench !== undefined);
  const rows = results.map(({ name, mean, deviation, llamaBench, ratio }) => [
    name,
    `${rate(mean)} ± ${rate(deviation)}`,
    ...(isCompared
      ? [
          llamaBench === undefined ? "" : rate(llamaBench),
          ratio === undefined ? "" : `${ratio.toFixed(3)} x`,
        ]
      : []),
  ]);
  const head = ["test", "tokens/s", ...(isCompared ? ["llama-bench", "ratio"] : [])];
  return tableText([head, ...rows], [1, 2, 3]);
}

function facts(info: ModelInfo): string {
  const { threads, contextSize, cache } = info;
  return (
    `${modelText(info)}, on ${placeText(info)}, ${threads} ${threads === 1 ? "thread" : "threads"}, ` +
    `context ${contextSize}, cache ${cache.typeK}/${cache.typeV}\n${cpus()[0]?.model ?? ""}`
  ).trimEnd();
}

function report(info: ModelInfo, plan: BenchPlan, results: readonly Compared[]): object {
  const { path, fileBytes, variant, architecture, threads, contextSize, cache } = info;
  return {
    model: { path, fileBytes, variant, architecture },
    machine: { cpu: cpus()[0]?.model ?? "", cores: cpus().length, place: placeText(info) },
    settings: { threads, contextSize, cacheTypeK: cache.typeK, cacheTypeV: cache.typeV },
    llamaVersion: info.llamaVersion,
    tests: results,
    compareWith: llamaBenchLine(info, plan),
  };
}

/** Shows what is being measured, on a terminal. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

async function bench(command: Command): Promise<void> {
  const bag = collect(command);
  const plan = planOf(bag);
  const { llamaBenchFile, verbose, json, proxy } = bag.run;
  const others =
    llamaBenchFile === undefined ? undefined : readLlamaBench(llamaBenchFile as string);
  useProxy(proxy as string | undefined);
  const watch = watchSignals(() => undefined);
  try {
    const { signal } = watch;
    const model = await openModel(loadOf(bag, plan), { isVerbose: verbose === true, signal });
    try {
      const results: Compared[] = [];
      for (const test of testsOf(plan)) {
        note(`measuring ${test.name}`);
        results.push(compare(await measure(model, test, plan.repetitions, signal), others));
      }
      note("");
      const { info } = model;
      const text = `${facts(info)}\n\n${table(results)}\n\nThe same with llama.cpp:\n  ${llamaBenchLine(info, plan)}\n`;
      await write(
        process.stdout,
        json === true
          ? reportText("bench", report(info, plan, results))
          : forTerminal(text, process.stdout),
      );
    } finally {
      await model.close();
    }
  } catch (error) {
    note("");
    if (watch.exitCode !== undefined) throw new Interrupted(watch.exitCode);
    throw error;
  } finally {
    watch.stop();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("bench")
    .addHelpText("after", HELP)
    .action(() => bench(command));
  addFlags(command, COMMAND_FLAGS.bench);
  setWords(command, { contextSize: "--ctx-size", sequences: "--streams" });
}
