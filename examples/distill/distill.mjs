// Makes a small set for fine-tuning: 400 questions of arithmetic, sampled until one answer of each
// is right, and the right ones exported as conversations with their reasoning. Started again after
// a kill it goes on where it was.
//
//   node examples/distill/distill.mjs [FOLDER] [MODEL]
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadModel } from "r1-native";
import { batchStats, exportBatch, runBatchFile } from "r1-native/batch";

const [folder = "distill-out", path] = process.argv.slice(2);
const [input, output, set] = ["questions.jsonl", "traces.jsonl", "set.jsonl"].map((name) =>
  join(folder, name),
);

/** The same 400 questions each time: sums and differences below 100. */
function questions() {
  return Array.from({ length: 400 }, (_, i) => {
    const [a, b] = [(i % 90) + 9, 2 * Math.floor(i / 90) + 1];
    const isSum = i % 2 === 0;
    const prompt = `What is ${a}${isSum ? "+" : "-"}${b}?`;
    return { id: `q${i}`, prompt, metadata: { expected: isSum ? a + b : a - b } };
  });
}

mkdirSync(folder, { recursive: true });
writeFileSync(
  input,
  questions()
    .map((row) => `${JSON.stringify(row)}\n`)
    .join(""),
);

await runBatchFile(() => loadModel(path, { sequences: 8, contextSize: 8192 }), {
  input,
  output,
  verify: fileURLToPath(new URL("verify.mjs", import.meta.url)),
  untilVerified: 1,
  maxSamples: 4,
  maxTokens: 512,
  onNotice: console.error,
});
const { verified, records } = await batchStats(output);
await exportBatch(output, set, { chat: "reasoning", verified: true, order: "input", force: true });
console.log(`${verified?.count ?? 0} of 400 questions passed, with ${records} samples: ${set}`);
