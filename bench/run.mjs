// npm run bench: runs the trials one after the other and writes the table, the figures and the plot. The main process.
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

function write(bench, rows, failures) {
  mkdirSync(bench.out, { recursive: true });
  const file = join(bench.out, "results.json");
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(bench), rows, failures }, undefined, 2)}\n`);
  writeFileSync(join(bench.out, "table.md"), `${table(rows)}\n`);
  const drawing = plot(rows);
  if (drawing !== undefined) writeFileSync(join(bench.out, "plot.svg"), drawing);
  console.error(`written: ${file}, table.md${drawing === undefined ? "" : ", plot.svg"}`);
}

/** Results of an earlier run of other trials stay in the files when only some trials are asked for. */
function earlierRows(bench) {
  if (bench.trials.length === 0) return [];
  try {
    return JSON.parse(readFileSync(join(bench.out, "results.json"), "utf8")).rows.filter(
      (row) => !bench.trials.includes(row.trial) || row.model !== bench.model,
    );
  } catch {
    return [];
  }
}

const options = parse();
if (options.help) {
  process.stdout.write(help(TRIALS));
  process.exit(0);
}

// libgomp's own default, said aloud: every driver then waits at barriers in the same way. (This library would choose to sleep when it starts on a loaded machine, and after a
// minute of benchmarks any machine is loaded.)
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

const rows = [];
const failures = [];
const earlier = earlierRows(bench);
for (const { name, title, run } of TRIALS) {
  if (bench.trials.length > 0 && !bench.trials.includes(name)) continue;
  if (stop.signal.aborted) break;
  console.error(`${name}: ${title} (load ${load().toFixed(1)})`);
  try {
    const found = await run(bench);
    rows.push(...found);
    console.log(`\n${table(found)}\n`);
  } catch (error) {
    if (stop.signal.aborted) break;
    failures.push({ trial: name, message: error.message });
    console.error(`  failed: ${error.message}`);
  }
}
await endAll();
const order = (row) => names.indexOf(row.trial);
const all = [...earlier, ...rows].sort((a, b) => order(a) - order(b));
if (rows.length > 0) write(bench, all, failures);
const missed = rows.filter((row) => row.bar?.pass === false);
for (const row of missed) console.error(`missed: ${row.trial}, ${row.metric}, ${row.subject}: ${row.bar.text}, is ${(row.ratio ?? row.value).toPrecision(4)}`);
process.exitCode = stop.signal.aborted ? 130 : failures.length > 0 ? 1 : 0;
