// Measures what a token costs beyond llama_decode: r1-native from its engine thread to `for await`,
// compared with llama-bench from the same vendored tree, in turns, on the embedded model.
//
//   npm run build:all && npm run build:tools && node scripts/token-overhead.mjs [--rounds 40] [--tokens 400] [--threads 1] [--depths 200,20000] [--json]
//
// A round is one run of each, who is first changing from round to round: neighbours differ less
// than a machine does from minute to minute. The table shows medians over the rounds, the overhead
// being that of the pairs. After more than 1,000 tokens a tenth of the rounds is made: to take
// those in lasts seconds. llama-bench decodes and does not sample, so that the difference holds our
// sampling (greedy), the events to JavaScript, the reasoning split and the iterator.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "../bench/core/stats.mjs";
import * as probe from "../bench/probes/overhead.mjs";
import { DEFAULT_MODEL_PATH } from "../dist/index.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "40" },
    tokens: { type: "string", default: "400" },
    threads: { type: "string", default: "1" },
    depths: { type: "string", default: "200,20000" },
    json: { type: "boolean", default: false },
  },
});
const [rounds, tokens, threads] = [values.rounds, values.tokens, values.threads].map(Number);
/** Tokens before the measured ones: the cost of attention grows with them, ours must not. */
const DEPTHS = values.depths.split(",").map(Number);

const bench = fileURLToPath(new URL("../build-native/bin/llama-bench", import.meta.url));
if (!existsSync(bench)) {
  console.error("llama-bench is not built: run `npm run build:tools` first.");
  process.exit(1);
}

/** Microseconds a token of llama_decode alone. */
function upstream(depth) {
  const args = [
    "-m",
    DEFAULT_MODEL_PATH,
    "-p",
    "0",
    "-n",
    String(tokens),
    "-d",
    String(depth),
    "-t",
    String(threads),
    "-r",
    "1",
    "-fa",
    "1",
    "-o",
    "json",
  ];
  const [row] = JSON.parse(
    execFileSync(bench, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  );
  return row.samples_ns[0] / tokens / 1000;
}

await probe.open({ path: DEFAULT_MODEL_PATH, threads });
const rows = [];
for (const depth of DEPTHS) {
  const here = [];
  const there = [];
  await probe.run({ depth, tokens });
  for (let i = 0; i < (depth > 1000 ? Math.ceil(rounds / 10) : rounds); i++) {
    if (i % 2 === 0) there.push(upstream(depth));
    here.push(await probe.run({ depth, tokens }));
    if (i % 2 === 1) there.push(upstream(depth));
  }
  const pairs = here.map((run, i) => run.whole - there[i]);
  rows.push({
    "tokens before": depth,
    rounds: here.length,
    "llama_decode µs": median(there),
    "engine µs": median(here.map((run) => run.engine)),
    "for await µs": median(here.map((run) => run.whole)),
    "overhead µs": median(pairs),
    "of it JavaScript µs": median(here.map((run) => run.javascript)),
  });
}
await probe.close();
if (values.json) console.log(JSON.stringify({ threads, tokens, rounds, rows }, undefined, 2));
else
  console.table(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [key, Math.round(value * 10) / 10]),
      ),
    ),
  );
