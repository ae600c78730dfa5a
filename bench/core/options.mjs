// The command line of the benchmark. Pure function of the arguments.
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const OPTIONS = {
  help: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  bars: { type: "boolean", default: false },
  trial: { type: "string", multiple: true, default: [] },
  driver: { type: "string", multiple: true, default: [] },
  model: { type: "string", default: "qwen-0.5b" },
  threads: { type: "string", default: String(Math.min(2, availableParallelism())) },
  "gpu-layers": { type: "string" },
  rounds: { type: "string" },
  "max-others": { type: "string", default: "5" },
  patience: { type: "string", default: "20" },
  tools: {
    type: "string",
    default: fileURLToPath(new URL("../../build-native/bin", import.meta.url)),
  },
  dist: { type: "string" },
  out: { type: "string" },
};

/** The drivers that a trial may compare with; our own always runs. */
export const DRIVERS = ["upstream", "llama-server", "node-llama-cpp", "llama-node"];

export function help(trials) {
  return `usage: npm run bench -- [options]

Compares r1-native with llama.cpp's own programs of the same tree and with other Node bindings: each in a process of its own, in turns, ratios pair by pair.

  --quick            few rounds and small sizes: minutes instead of hours, and no verdict on bars
  --bars             only what a bar is set for, against what it is set against, long trials in fewer rounds or smaller sizes: about 40 minutes
  --trial NAME       only this trial; may be given several times
  --driver NAME      only compare with this one; may be given several times: ${DRIVERS.join(", ")}
  --model NAME       qwen-0.5b (default), qwen-1.5b or tiny-r1, for the trials that take any model
  --threads N        threads of every driver (default ${OPTIONS.threads.default})
  --gpu-layers N     layers on the GPU, or all, for r1-native and upstream's programs (default: each its own choice); both have to be built with its backend
  --rounds N         samples of each subject (default 7, or 9 where a bar is a matter of one percent; with --bars 1 to 9, by what a round takes; with --quick 3).
                     The table says how many there were
  --max-others N     a sample counts while other programs take at most N percent of the machine (default ${OPTIONS["max-others"].default})
  --patience N       seconds to wait for such a moment before each sample (default ${OPTIONS.patience.default})
  --tools DIR        upstream's programs (default build-native/bin; node scripts/build.mjs --bench-tools builds them)
  --dist DIR         the compiled library (default dist)
  --out DIR          where results.json, table.md and plot.svg go (default bench/out, with --quick bench/out/quick)
  --help

Trials, and about how many minutes each takes on two quiet cores in full, with --bars and with --quick:
${trials.map(({ name, title, minutes }) => `  ${name.padEnd(14)} ${minutes.map((count) => String(count).padStart(4)).join(" ")}  ${title}`).join("\n")}

What some trials found joins what others had found in the files under --out, so that a run can be made trial by trial.

Ctrl-C ends the run and every process it started; the trials finished by then are still written.
`;
}

function number(text, name, low, high) {
  const value = Number(text);
  if (!(value >= low && value <= high))
    throw new Error(`--${name} is a number from ${low} to ${high}, not "${text}"`);
  return value;
}

function layers(text) {
  return text === undefined || text === "all" ? text : number(text, "gpu-layers", 0, 1000);
}

function known(given, names, option) {
  const wrong = given.find((name) => !names.includes(name));
  if (wrong !== undefined)
    throw new Error(`--${option} "${wrong}" is not known; there are: ${names.join(", ")}`);
  return given;
}

/** @throws {Error} with what is wrong, on an unknown option, trial or driver. */
export function readOptions(args, trialNames, modelNames) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.quick && values.bars)
    throw new Error("--quick gives no verdict on bars: give one of --quick and --bars");
  const drivers = known(values.driver, DRIVERS, "driver");
  return {
    help: values.help,
    quick: values.quick,
    bars: values.bars,
    trials: known(values.trial, trialNames, "trial"),
    drivers: drivers.length === 0 ? DRIVERS : drivers,
    model: known([values.model], modelNames, "model")[0],
    threads: number(values.threads, "threads", 1, 512),
    gpuLayers: layers(values["gpu-layers"]),
    rounds: number(values.rounds ?? (values.quick ? 3 : values.bars ? 5 : 7), "rounds", 1, 1000),
    fineRounds: number(values.rounds ?? (values.quick ? 3 : 9), "rounds", 1, 1000),
    /** For trials whose rounds take minutes: as many as --bars has time for. */
    fewRounds: (most) =>
      number(values.rounds ?? (values.quick ? 3 : values.bars ? most : 7), "rounds", 1, 1000),
    maxOthers: number(values["max-others"], "max-others", 0, 100) / 100,
    patienceMs: number(values.patience, "patience", 0, 3600) * 1000,
    tools: values.tools,
    dist: values.dist,
    out:
      values.out ??
      fileURLToPath(new URL(values.quick ? "../out/quick" : "../out", import.meta.url)),
  };
}
