// Several replies at the same time from one model: different questions side by side, and several
// answers to one question with a vote. The weights are in memory once.
//
//   node examples/parallel.mjs [MODEL]
import { loadModel } from "r1-native";

const model = await loadModel(process.argv[2], { sequences: 4 });
const ask = (question, options) =>
  model.chat([{ role: "user", content: question }], options).result();

// More requests than sequences may wait: they start as sequences become free.
const questions = [
  "What is 1+1?",
  "What is 12+30?",
  "What is 7+5?",
  "What is 20+3?",
  "What is 6-2?",
];
const replies = await Promise.all(questions.map((question) => ask(question)));
for (const [i, { answer }] of replies.entries()) console.log(`${questions[i]} ${answer}`);

// The prompt of several choices is computed once.
const runs = model.choices([{ role: "user", content: "What is 8+9?" }], { n: 4, seed: 1 });
const votes = new Map();
for (const { answer } of await Promise.all(runs.map((run) => run.result()))) {
  const number = /-?\d+(?!.*\d)/.exec(answer)?.[0] ?? "none";
  votes.set(number, (votes.get(number) ?? 0) + 1);
}
const [[winner, count]] = [...votes].sort(([, a], [, b]) => b - a);
console.log(`What is 8+9? ${winner}, by ${count} of ${runs.length} votes`);
await model.close();
