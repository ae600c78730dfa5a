// `r1-native worker`: takes rows from a queue, computes them on this machine, and writes them into a
// shard of its own. Main thread; the model works on its own.
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import type { Model } from "../../index.js";
import { runWorker } from "../../queue.js";
import type { WorkerOptions, WorkerSummary } from "../../queue.js";
import { progressJson, progressView } from "../batch-progress.js";
import { Interrupted, watchSignals } from "../exit.js";
import { addFlags, collect, setWords, type OptionBag } from "../flags.js";
import { loadFlags } from "../flags-load.js";
import { workerFlags } from "../flags-queue.js";
import { useProxy } from "../network.js";
import { openModel } from "../open-model.js";
import { queueOf, showDashboard } from "../queue-batch.js";
import { loadOptionsOf } from "../settings.js";
import { forTerminal } from "../wrap.js";

const HELP = `
How rows are computed stands in the queue, where r1-native batch INPUT --queue URL put it. A worker
takes as many rows as it has sequences, writes each result to its own SHARD before it reports it,
and ends when all rows are done. Started again with the same SHARD it goes on.

Examples:
  r1-native worker --queue redis://queue:6379 -m model.gguf -np 8 -c 65536 -o shard-1.jsonl
  r1-native worker --queue redis://queue:6379 --dashboard

Exit codes: 0 all rows done, 1 failed, 2 wrong usage or another model, 130 interrupted by Ctrl-C.
docs/queue.md describes it.`;

const SEQUENCES = 4;
/** What only this command needs, beside the options of runWorker. */
const OWN_FLAGS = ["verbose", "jsonProgress", "proxy", "hfRepo", "hfFile", "sequences"];

function summaryText({ done, failed, tokens, shard }: WorkerSummary): string {
  const failures = failed === 0 ? "" : `; ${failed} failed`;
  return `All rows are done; this worker did ${done}${failures}, ${tokens} tokens. Results: ${shard}`;
}

async function work(bag: OptionBag): Promise<void> {
  const load = { sequences: SEQUENCES, ...pick(bag.run, ["sequences"]), ...loadOptionsOf(bag) };
  useProxy(bag.run["proxy"] as string | undefined);
  const isJson = bag.run["jsonProgress"] === true;
  const view = progressView(isJson);
  const say = (text: string): void =>
    view.say(
      isJson ? JSON.stringify({ event: "notice", text }) : forTerminal(text, process.stderr),
    );
  const watch = watchSignals(() => {
    view.stop();
    if (!isJson) process.stderr.write("Ending. A second Ctrl-C ends at once.\n");
  });
  const own = Object.entries(bag.run).filter(
    ([key]) => !OWN_FLAGS.includes(key) && !key.startsWith("accepted:"),
  );
  const options = {
    ...Object.fromEntries(own),
    ...queueOf(bag, watch.signal),
    onProgress: (progress: Parameters<typeof view.update>[0]) => view.update(progress),
    onNotice: say,
  } as WorkerOptions;
  const open = (): Promise<Model> =>
    openModel(load, { isVerbose: bag.run["verbose"] === true, signal: watch.signal });
  try {
    const summary = await runWorker(open, options);
    view.stop();
    if (isJson) process.stderr.write(progressJson(summary));
    else say(summaryText(summary));
  } catch (error) {
    view.stop();
    if (watch.exitCode === undefined) throw error;
    say("The rows that were running are back in the queue. The same command goes on.");
    throw new Interrupted(watch.exitCode);
  } finally {
    watch.stop();
  }
}

const pick = (from: Readonly<Record<string, unknown>>, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));

async function run(command: Command): Promise<void> {
  const bag = collect(command);
  if (bag.run["queue"] === undefined) throw missing("--queue URL");
  if (bag.run["dashboard"] !== true) {
    if (bag.run["shard"] === undefined) throw missing("-o SHARD");
    return work(bag);
  }
  const watch = watchSignals(() => undefined);
  try {
    await showDashboard(queueOf(bag, watch.signal));
  } catch (error) {
    if (watch.exitCode === undefined) throw error;
    throw new Interrupted(watch.exitCode);
  } finally {
    watch.stop();
  }
}

const missing = (flag: string): R1Error =>
  new R1Error(
    "INVALID_ARGUMENT",
    `${flag} is missing: r1-native worker --queue URL -m MODEL -o SHARD.`,
  );

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("worker")
    .description("compute rows of a queue on this machine")
    .addHelpText("after", HELP)
    .action(() => run(command));
  addFlags(command, [...workerFlags, ...loadFlags]);
  setWords(command, { shard: "--output" });
}
