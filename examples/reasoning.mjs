// Streams the reasoning and the answer apart, gives the reasoning a budget, and ends it early.
//
//   node examples/reasoning.mjs [MODEL] [QUESTION]
import { loadModel } from "r1-native";

const [path, question = "What is 12+30?"] = process.argv.slice(2);
const model = await loadModel(path);

const run = model.chat([{ role: "user", content: question }], {
  // At most this many tokens of thinking; then a closing sentence, and the answer.
  reasoning: { maxTokens: 512 },
});
// What a "just answer" button does: the reasoning ends here, and the answer follows.
const patience = setTimeout(() => run.endReasoning(), 30_000);

for await (const part of run) {
  if (part.type === "reasoning-start") process.stdout.write("[thinking] ");
  else if (part.type === "reasoning-delta") process.stdout.write(part.text);
  else if (part.type === "reasoning-end") process.stdout.write("\n[answer] ");
  else if (part.type === "answer-delta") process.stdout.write(part.text);
}
clearTimeout(patience);

const { usage, finishReason } = await run.result();
console.log(
  `\n[${finishReason}] ${usage.reasoningTokens} of ${usage.completionTokens} tokens were reasoning`,
);
await model.close();
