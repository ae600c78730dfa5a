// Writes synthetic models for tests and benchmarks: node scripts/make-synthetic.mjs --shape NAME
// --out FILE. They have random weights (the same each time) in the exact shape of real releases, so
// that speed, memory and formats can be measured without real weights. Their text is nonsense,
// except deepseek2-legacy.
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { SHAPES } from "./synthetic-shapes.mjs";

const { values } = parseArgs({
  options: { shape: { type: "string" }, out: { type: "string" }, help: { type: "boolean" } },
});
const names = Object.keys(SHAPES);
if (
  values.help ||
  values.shape === undefined ||
  values.out === undefined ||
  !names.includes(values.shape)
) {
  console.error(`Usage: node scripts/make-synthetic.mjs --shape ${names.join("|")} --out FILE`);
  process.exit(values.help ? 0 : 2);
}
const out = resolve(values.out);
await mkdir(dirname(out), { recursive: true });
const started = performance.now();
const files = await SHAPES[values.shape](out);
console.log(
  `${files.join("\n")}\nwritten in ${((performance.now() - started) / 1000).toFixed(1)} s`,
);
