// What `r1-native batch` does with --queue: it fills the queue and watches it. Also what the other
// commands of a queue share. Main thread.
import { R1Error } from "../base/errors.js";
import { fillQueue, watchQueue } from "../queue.js";
import type { FillOptions, QueueOptions } from "../queue.js";
import { Interrupted, watchSignals } from "./exit.js";
import type { OptionBag } from "./flags.js";
import { callOptions } from "./long-command.js";
import { dashboardView } from "./queue-dashboard.js";
import { forTerminal } from "./wrap.js";

/** What only the command needs. */
const OWN_FLAGS = ["verbose", "jsonProgress", "proxy", "sequences", "dashboard"];

/** Shows a line on standard error. */
export const say = (text: string): void =>
  void process.stderr.write(`${forTerminal(text, process.stderr)}\n`);

/** Shows the dashboard until all rows are done. */
export async function showDashboard(options: QueueOptions): Promise<void> {
  const view = dashboardView();
  for await (const state of watchQueue({ ...options, onNotice: (text) => view.say(text) })) {
    view.draw(state);
    if (state.isDone) return;
  }
}

/** The options of a queue on a command line. */
export const queueOf = ({ run }: OptionBag, signal: AbortSignal): QueueOptions =>
  ({
    queue: run["queue"],
    ...(run["queueName"] === undefined ? {} : { queueName: run["queueName"] }),
    signal,
    onNotice: say,
  }) as QueueOptions;

/** Fills a queue with the rows of an input, and watches it where that was asked for. */
export async function runQueued(input: string, bag: OptionBag): Promise<void> {
  const [load] = Object.keys(bag.load);
  if (load !== undefined)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `Expected no \`${load}\` beside --queue: how a model is loaded is said to r1-native worker.`,
      { details: { option: load } },
    );
  const { seed, timeoutMs, ...generate } = bag.generate;
  const watch = watchSignals(() => undefined);
  try {
    const options = {
      ...generate,
      ...callOptions(bag, OWN_FLAGS),
      ...(seed === undefined ? {} : { seed }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...queueOf(bag, watch.signal),
      input,
    } as FillOptions;
    const { rows, added, repeated } = await fillQueue(options);
    const same = repeated === 0 ? "" : ` ${repeated} say the same as an earlier one.`;
    say(`${rows} rows are in the queue, ${added} of them new.${same}`);
    if (bag.run["dashboard"] === true) await showDashboard(queueOf(bag, watch.signal));
  } catch (error) {
    if (watch.exitCode === undefined) throw error;
    say("Rows that are in the queue stay there. The same command goes on.");
    throw new Interrupted(watch.exitCode);
  } finally {
    watch.stop();
  }
}
