// Answers many questions with one model, several at the same time: reads one question per line and
// writes one JSON object per line as replies arrive.
//
//   node examples/batch.mjs [MODEL] < questions.txt > answers.jsonl
import { createInterface } from "node:readline";
import { loadModel } from "r1-native";

const SIDE_BY_SIDE = 4;
const [path] = process.argv.slice(2);
const model = await loadModel(path, { sequences: SIDE_BY_SIDE });

async function answer(question, line) {
  // A seed of the line's own, so that a line can be asked again by itself.
  const result = await model
    .chat([{ role: "user", content: question }], { seed: line, maxTokens: 2048 })
    .result();
  console.log(
    JSON.stringify({
      line,
      question,
      answer: result.answer,
      finishReason: result.finishReason,
      tokens: result.usage.completionTokens,
    }),
  );
}

// Never more than a few ahead of the engine, so that a file of any length fits.
const running = new Set();
let line = 0;
for await (const question of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  line += 1;
  if (question.trim() === "") continue;
  const task = answer(question, line).finally(() => running.delete(task));
  running.add(task);
  if (running.size >= 2 * SIDE_BY_SIDE) await Promise.race(running);
}
await Promise.all(running);
await model.close();
