// `r1-native plan`: shows which parts of a model fit where, from the headers of its files alone.
// Main thread.
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import type { OffloadPlan, PlanOptions } from "../../plan.js";
import { downloadBar } from "../download-bar.js";
import { PROXY_OPTION, useProxy } from "../network.js";
import { bytesText, tableText, wholeNumber } from "../file-work.js";
import { setWords } from "../flags.js";
import { Interrupted, watchSignals } from "../exit.js";
import { reportText } from "../report-json.js";
import { forTerminal } from "../wrap.js";

const HELP = `
Examples:
  r1-native plan hf:unsloth/DeepSeek-R1-GGUF:UD-IQ1_S --vram 24 --ram 128 --cache-type-k q4_0
  r1-native plan DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf --vram 80,80 -c 16384
  r1-native plan model.gguf --bandwidth gpu=900,disk=3
  r1-native quants                        list the quants

Without --vram the plan is for the GPUs of this machine; without --vram and --ram the speed of its memory is measured too.
Only a few megabytes of a remote model are read. Weights are exact, the cache follows llama.cpp's own formula, compute is an estimate.`;

interface PlanFlags {
  readonly vram?: readonly number[];
  readonly devices?: readonly string[];
  readonly backendDir?: string;
  readonly ram?: number;
  readonly ctxSize?: number;
  readonly cacheTypeK?: string;
  readonly sequences?: number;
  readonly margin?: number;
  readonly bandwidth?: NonNullable<PlanOptions["bandwidth"]>;
  readonly proxy?: string;
  readonly json?: boolean;
}

const gibFlag =
  (flag: string): ((value: string) => number) =>
  (value) => {
    const number = Number(value);
    if (!/^\d+(\.\d+)?$/.test(value) || number > 2 ** 20)
      throw new R1Error(
        "INVALID_ARGUMENT",
        `Expected a number of GiB after ${flag} but received ${JSON.stringify(value)}.`,
        { details: { option: flag } },
      );
    return number;
  };

function bandwidthFlag(value: string): Record<string, number | "measured"> {
  const speeds: Record<string, number | "measured"> = {};
  for (const entry of value.split(",")) {
    const [, place = "", speed = ""] =
      /^(gpu|ram|disk)=(\d+(?:\.\d+)?)$|^(ram)=(measured)$/
        .exec(entry)
        ?.filter((part) => part !== undefined) ?? [];
    if (place === "")
      throw new R1Error(
        "INVALID_ARGUMENT",
        `Expected gpu=GB,ram=GB,disk=GB (or ram=measured) after --bandwidth but received ${JSON.stringify(value)}.`,
        {
          details: { option: "--bandwidth" },
        },
      );
    speeds[place] = speed === "measured" ? speed : Number(speed);
  }
  return speeds;
}

const HEAD = [
  "place",
  "memory",
  "weights",
  "of these experts",
  "cache",
  "compute (estimate)",
  "layers",
  "with experts",
];

/** A row for each place; on a terminal that is too narrow for it, a column for each. */
function placesTable({ placement }: OffloadPlan, columns: number): string {
  const rows = placement.places.map((place) => [
    place.name,
    place.capacityBytes === undefined ? "" : bytesText(place.capacityBytes),
    bytesText(place.weightsBytes),
    bytesText(place.expertBytes),
    bytesText(place.cacheBytes),
    bytesText(place.computeBytes),
    String(place.layers),
    String(place.expertLayers),
  ]);
  const wide = tableText([HEAD, ...rows], [1, 2, 3, 4, 5, 6, 7]);
  if (wide.split("\n").every((line) => line.length <= columns)) return wide;
  const turned = HEAD.map((name, i) => [name, ...rows.map((row) => row[i] ?? "")]);
  return tableText(
    turned,
    rows.map((_, i) => i + 1),
  );
}

/** Quotes a word for a shell. */
const quoted = (word: string): string =>
  /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Returns a command that applies the plan and needs no prompt. */
function runLine(source: string, { load }: OffloadPlan): string {
  const overrides = Array.isArray(load.tensorOverrides)
    ? (load.tensorOverrides as readonly { pattern: string; buffer: string }[])
    : [];
  const words = [
    "r1-native",
    "chat",
    "--model",
    source,
    "--gpu-layers",
    String(load.gpuLayers),
    "--ctx-size",
    String(load.contextSize),
    "--cache-type-k",
    load.cacheTypeK ?? "f16",
  ];
  for (const { pattern, buffer } of overrides)
    words.push("--override-tensor", `${pattern}=${buffer}`);
  if (load.tensorSplit !== undefined) words.push("--tensor-split", load.tensorSplit.join(","));
  return words.map(quoted).join(" ");
}

async function plan(source: string, flags: PlanFlags): Promise<void> {
  const { vram, devices, backendDir, ram, ctxSize, cacheTypeK, sequences, margin, json } = flags;
  useProxy(flags.proxy);
  const { planOffload } = await import("../../plan.js");
  // This machine's memory bandwidth says nothing about another machine.
  const bandwidth = {
    ...(vram === undefined && ram === undefined ? ({ ram: "measured" } as const) : {}),
    ...flags.bandwidth,
  };
  const watch = watchSignals(() => undefined);
  const bar = downloadBar();
  let made: OffloadPlan;
  try {
    made = await planOffload(source, {
      ...(vram === undefined ? {} : { vramGiB: vram }),
      ...(devices === undefined ? {} : { devices }),
      ...(backendDir === undefined ? {} : { backendDir }),
      ...(ram === undefined ? {} : { ramGiB: ram }),
      ...(ctxSize === undefined ? {} : { contextSize: ctxSize }),
      ...(cacheTypeK === undefined
        ? {}
        : { cacheTypeK: cacheTypeK as NonNullable<PlanOptions["cacheTypeK"]> }),
      ...(sequences === undefined ? {} : { sequences }),
      ...(margin === undefined ? {} : { marginGiB: margin }),
      bandwidth,
      signal: watch.signal,
      onRetry: (notice) => bar.retry(notice),
    });
  } catch (error) {
    if (watch.exitCode !== undefined) throw new Interrupted(watch.exitCode);
    throw error;
  } finally {
    watch.stop();
  }
  if (json === true) process.stdout.write(reportText("plan", made));
  else {
    const { isTTY, columns } = process.stdout;
    const table = placesTable(made, isTTY && columns > 0 ? columns : Infinity);
    const reasons = forTerminal(made.reasons.join("\n"), process.stdout);
    process.stdout.write(`${reasons}\n\n${table}\n\n${runLine(source, made)}\n`);
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("plan")
    .argument("<source>", "a GGUF file, its address, or hf:owner/name:QUANT")
    .option("--vram <gib>", "memory of the GPUs, separated by commas; 0: none", (value: string) =>
      value.split(",").map(gibFlag("--vram")),
    )
    .option(
      "--devices <list>",
      "names of GPUs of this machine, separated by commas (r1-native devices lists them)",
      (value: string) => value.split(","),
    )
    .option("--backend-dir <folder>", "folder with more backend libraries")
    .option("--ram <gib>", "system memory", gibFlag("--ram"))
    .option(
      "-c, --ctx-size <n>",
      "tokens of context (8192)",
      wholeNumber("--ctx-size", 1, 2 ** 31 - 1),
    )
    .option("--cache-type-k <type>", "type of the cache (f16)")
    .option(
      "--sequences <n>",
      "generations at the same time (1)",
      wholeNumber("--sequences", 1, 256),
    )
    .option("--margin <gib>", "memory to leave free on each GPU (1)", gibFlag("--margin"))
    .option(
      "--bandwidth <list>",
      "gpu=GB,ram=GB,disk=GB per second, or ram=measured: shows a bound on tokens per second",
      bandwidthFlag,
    )
    .option(...PROXY_OPTION)
    .option("--json", "everything as JSON")
    .addHelpText("after", HELP)
    .action(plan);
  setWords(command, {
    vramGiB: "--vram",
    ramGiB: "--ram",
    marginGiB: "--margin",
    contextSize: "--ctx-size",
  });
}
