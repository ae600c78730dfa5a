// Answers many questions with one model, several at the same time: reads one question per line and
// writes one JSON object per line as replies arrive. For files whose answers must survive a kill
// there is `r1-native batch` (docs/guide/batch.md).
//
//   node examples/batch.mjs [MODEL] < questions.txt > answers.jsonl
import { createInterface } from "node:readline";
import { loadModel } from "r1-native";
import { runBatch } from "r1-native/batch";

const model = await loadModel(process.argv[2], { sequences: 4 });

async function* questions() {
  let line = 0;
  for await (const prompt of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    line++;
    if (prompt.trim() !== "") yield { id: `line ${line}`, prompt, metadata: { line } };
  }
}

for await (const { row, record, error } of runBatch(model, questions(), { maxTokens: 2048 })) {
  const { line } = row.columns;
  const { prompt, answer, finish_reason, completion_tokens } = record ?? {};
  const said = { question: prompt, answer, finishReason: finish_reason, tokens: completion_tokens };
  console.log(
    JSON.stringify(error === undefined ? { line, ...said } : { line, error: error.code }),
  );
}
await model.close();
