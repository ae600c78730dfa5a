// npm run bench: runs the trials one after the other and writes the table, the figures and the
// plot. The main process.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "./core/machine.mjs";
import { MODELS, modelPath } from "./core/models.mjs";
import { help, readOptions } from "./core/options.mjs";
import { plot } from "./core/plot.mjs";
import { endAll } from "./core/processes.mjs";
import { load } from "./core/quiet.mjs";
import { table } from "./core/report.mjs";
import { TRIALS } from "./trials/all.mjs";

const names = TRIALS.map(({ name }) => name);

function parse() {
  try {
    return readOptions(process.argv.slice(2), names, Object.keys(MODELS));
  } catch (error) {
    console.error(`${error.message}\nSee npm run bench -- --help`);
    process.exit(2);
  }
}

/**
 * Writes the files, after each trial: what is done by then is not lost with a run that is cut
 * short.
 */
function write(bench, rows, failures) {
  mkdirSync(bench.out, { recursive: true });
  const file = join(bench.out, "results.json");
  writeFileSync(
    file,
    `${JSON.stringify({ machine: describeMachine(bench), rows, failures }, undefined, 2)}\n`,
  );
  writeFileSync(join(bench.out, "table.md"), `${table(rows)}\n`);
  const drawing = plot(rows);
  if (drawing !== undefined) writeFileSync(join(bench.out, "plot.svg"), drawing);
  return `${file}, table.md${drawing === undefined ? "" : ", plot.svg"}`;
}

/** What earlier runs found. */
function earlierRows(bench) {
  try {
    return JSON.parse(readFileSync(join(bench.out, "results.json"), "utf8")).rows;
  } catch {
    return [];
  }
}

/**
 * All rows in the order of the trials; what a trial found takes the place of what it had found with
 * the same model.
 */
function joined(rows, found) {
  const kept = rows.filter(
    (row) => !found.some(({ trial, model }) => row.trial === trial && row.model === model),
  );
  return [...kept, ...found].sort((a, b) => names.indexOf(a.trial) - names.indexOf(b.trial));
}

function chosen(bench) {
  const form = bench.quick ? 2 : bench.bars ? 1 : 0;
  const list = TRIALS.filter(({ name, hasBars }) =>
    bench.trials.length > 0 ? bench.trials.includes(name) : !bench.bars || hasBars,
  );
  const minutes = list.reduce((sum, trial) => sum + (Number(trial.minutes[form]) || 0), 0);
  return { list, minutes };
}

const options = parse();
if (options.help) {
  process.stdout.write(help(TRIALS));
  process.exit(0);
}

// libgomp's own default, said aloud: every driver then waits at barriers in the same way. (This
// library would choose to sleep when it starts on a loaded machine, and after a minute of
// benchmarks any machine is loaded.)
process.env.GOMP_SPINCOUNT ??= "300000";

const stop = new AbortController();
process.on("SIGINT", () => {
  if (stop.signal.aborted) process.exit(130);
  console.error("\nending; once more to leave at once");
  stop.abort(new Error("interrupted"));
  void endAll();
});

const bench = { ...options, signal: stop.signal, path: undefined, progress: undefined };
bench.progress = (text) => console.error(`  ${text}`);
bench.path = (name) => modelPath(name, bench.progress);

const { list, minutes } = chosen(bench);
console.error(
  `${list.length} trials, about ${Math.ceil(minutes)} minutes on two quiet cores; a busy machine makes it longer`,
);
const rows = [];
const failures = [];
let all = earlierRows(bench);
let written;
for (const { name, title, run } of list) {
  if (stop.signal.aborted) break;
  console.error(`${name}: ${title} (load ${load().toFixed(1)})`);
  const start = performance.now();
  try {
    const found = await run(bench);
    rows.push(...found);
    all = joined(all, found);
    written = write(bench, all, failures);
    console.error(`  took ${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
    console.log(`\n${table(found)}\n`);
  } catch (error) {
    if (stop.signal.aborted) break;
    failures.push({ trial: name, message: error.message });
    console.error(
      `  failed after ${((performance.now() - start) / 60_000).toFixed(1)} minutes: ${error.message}`,
    );
  }
}
await endAll();
if (failures.length > 0) written = write(bench, all, failures);
if (written !== undefined) console.error(`written: ${written}`);
const missed = rows.filter((row) => row.bar?.pass === false);
for (const row of missed)
  console.error(
    `missed: ${row.trial}, ${row.metric}, ${row.subject}: ${row.bar.text}, is ${(row.ratio ?? row.value).toPrecision(4)}`,
  );
process.exitCode = stop.signal.aborted ? 130 : failures.length > 0 ? 1 : 0;
