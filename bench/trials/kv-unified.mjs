// One pool of cells for all sequences, or an equal share for each: decoding of independent
// requests, and a shared prefix. The source of docs/decisions/kv-unified.md.
import { ratioOf, medianOf, takeTurns } from "../core/pairs.mjs";
import { sharedPrompts, wordsPrompt } from "../core/prompts.mjs";
import { openSubject } from "../core/subjects.mjs";
import { decodeRate } from "../drivers/streams.mjs";

export const title = "one pool of cells, or a share for each sequence";

const LAYOUTS = { "one pool": true, "a share each": false };

export async function run(bench) {
  const path = await bench.path(bench.model);
  const rows = [];
  for (const sequences of bench.quick ? [8] : [1, 4, 8, 16]) {
    for (const length of bench.quick ? [16] : [16, 384]) {
      rows.push(
        ...(await measure(bench, {
          path,
          sequences,
          prompt: () => independent(sequences, length),
          cells: length + 256,
          name: `${sequences} x prompt ${length} + 128`,
        })),
      );
    }
  }
  const shared = {
    path,
    sequences: 16,
    prompt: (seed) => sharedPrompts(16, 1000, 16, seed),
    cells: 1280,
    name: "16 x shared prefix 1000 + 128",
    prefixCache: true,
  };
  rows.push(...(await measure(bench, shared)));
  return rows;
}

let seeds = 1;
const independent = (count, length) =>
  Array.from({ length: count }, () => wordsPrompt(length, seeds++));

async function measure(bench, { path, sequences, prompt, cells, name, prefixCache = false }) {
  const open = {};
  try {
    for (const [layout, kvUnified] of Object.entries(LAYOUTS)) {
      open[layout] = await openSubject(bench, "r1-native", {
        path,
        sequences,
        contextSize: cells * sequences,
        kvUnified,
        prefixCache,
      });
    }
    let seed = 1;
    const sample = (subject) => async () => {
      const requests = prompt(seed++).map((text, i) => ({ prompt: text, maxTokens: 129, seed: i }));
      const { rows, wallMs } = await subject.generate(requests);
      return { decode: decodeRate(rows), wallMs };
    };
    const subjects = Object.fromEntries(
      Object.entries(open).map(([layout, subject]) => [layout, sample(subject)]),
    );
    const { samples, others } = await takeTurns(bench, subjects, Math.min(bench.rounds, 5));
    const [pool, shares] = Object.keys(LAYOUTS).map((layout) => samples[layout]);
    return Object.keys(LAYOUTS).flatMap((layout) => {
      const common = { trial: "kv-unified", model: bench.model, subject: layout, others };
      const note = (pick) =>
        layout === "one pool"
          ? `one pool / a share each: ${ratioOf(pool, shares, pick).toFixed(3)}`
          : undefined;
      const [decode, whole] = [(s) => s.decode, (s) => s.wallMs];
      return [
        {
          ...common,
          metric: `decode, ${name}`,
          unit: "tokens/s",
          value: medianOf(samples[layout], decode),
          note: note(decode),
        },
        {
          ...common,
          metric: `whole, ${name}`,
          unit: "ms",
          value: medianOf(samples[layout], whole),
          note: note(whole),
        },
      ];
    });
  } finally {
    for (const subject of Object.values(open)) await subject.close();
  }
}
