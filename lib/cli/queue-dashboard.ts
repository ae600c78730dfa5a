// Shows a queue on the terminal: rows left, workers and their rates; drawn over itself on a
// terminal, a block of lines a minute elsewhere. On standard error; main thread.
import type { QueueState, WatchedWorker } from "../queue.js";
import { rateText, timeText } from "./batch-progress.js";
import { forTerminal } from "./wrap.js";

/** How often lines are written where there is no terminal. Unit: milliseconds. */
const LINES_MS = 60_000;

const HEAD = ["WORKER", "MACHINE", "STATE", "ROWS", "RUNNING", "TOKENS/S"];

function cellsOf(worker: WatchedWorker): string[] {
  const { name, host, pid, state, done, failed, running, tokensPerSecond } = worker;
  const silent = `silent ${Math.round(worker.silentSeconds)} s`;
  const isWorking = state === "working";
  return [
    name,
    `${host} ${pid}`,
    state === "silent" ? silent : state,
    failed === 0 ? String(done) : `${done} (${failed} failed)`,
    isWorking ? String(running) : "-",
    isWorking ? tokensPerSecond.toFixed(1) : "-",
  ];
}

/** The dashboard as lines of text. */
export function dashboardLines(state: QueueState): string[] {
  const { total, waiting, active, completed, failed, workers, tokensPerSecond } = state;
  const known = waiting + active + completed + failed;
  const filling = total === undefined ? ", still being filled" : "";
  const failures = failed === 0 ? "" : `, ${failed} given up`;
  const rows = [HEAD, ...workers.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [
    `${completed} of ${total ?? known} rows done${failures}, ${waiting + active} left (${active} running)${filling}`,
    `${rateText(tokensPerSecond)}, ${timeText(state.secondsLeft)}`,
    "",
    ...(workers.length === 0 ? ["No worker has come yet."] : table),
  ];
}

/** Draws states until it is stopped. */
export interface DashboardView {
  draw(state: QueueState): void;
  say(text: string): void;
}

/** The view that fits standard error. */
export function dashboardView(): DashboardView {
  const { stderr } = process;
  let height = 0;
  let last = -Infinity;
  const clear = (): void => {
    if (height > 0) stderr.write(`\x1b[${height}A\x1b[J`);
    height = 0;
  };
  return {
    draw: (state) => {
      const now = performance.now();
      if (!stderr.isTTY && !state.isDone && now - last < LINES_MS) return;
      last = now;
      const width = Math.max(20, (stderr.columns || 80) - 1);
      // Names of machines come from others: nothing in them may move the cursor.
      const lines = dashboardLines(state).map((line) => forTerminal(line, stderr));
      if (!stderr.isTTY) return void stderr.write(`${lines.join("\n")}\n`);
      const shown = lines
        .flatMap((line) => line.split("\n"))
        .map((line) => line.slice(0, width))
        .slice(0, Math.max(4, (stderr.rows || 24) - 1));
      clear();
      stderr.write(`${shown.join("\n")}\n`);
      height = shown.length;
    },
    say: (text) => {
      clear();
      stderr.write(`${forTerminal(text, stderr)}\n`);
    },
  };
}
