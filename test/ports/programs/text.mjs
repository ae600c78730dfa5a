// Answers questions without chance, so that the tokens can be compared between platforms. Runs in
// the tested Node and in this machine's own.
import { loadModel } from "../../../dist/index.js";
import { report } from "../report.mjs";

const QUESTIONS = [
  "What is 1+1?",
  "What is 12+30?",
  "What is 7*8?",
  "What is the capital of France?",
  "你好，你是谁？",
  "Count to ten.",
];

await report(async () => {
  const model = await loadModel();
  const answers = [];
  for (const content of QUESTIONS) {
    const { tokens, text, finishReason } = await model
      .chat([{ role: "user", content }], { temperature: 0, maxTokens: 200 })
      .result();
    answers.push({ content, tokens: [...tokens], text, finishReason });
  }
  await model.close();
  return { answers };
});
