// Two models in one process, each with its own engine thread: a small one that answers at once, and
// a large one that is asked when the small one's answer fails a check.
//
//   node examples/several-models.mjs [SMALL_MODEL] [LARGE_MODEL]
import { availableParallelism } from "node:os";
import { loadModel } from "r1-native";

const [smallPath, largePath] = process.argv.slice(2);
// Two engines that use all cores at the same time slow each other down.
const threads = Math.max(1, Math.floor(availableParallelism() / 2));
const [small, large] = await Promise.all([
  loadModel(smallPath, { threads, contextSize: 2048 }),
  loadModel(largePath, { threads, contextSize: 8192 }),
]);

const ask = async (model, question, options) =>
  (await model.chat([{ role: "user", content: question }], options).result()).answer;

/** The sums of this example can be checked; elsewhere this is a test, a parser or a rule. */
function isRight(question, answer) {
  const [, a, b] = /(\d+)\+(\d+)/.exec(question);
  return /\d+(?!.*\d)/s.exec(answer)?.[0] === String(Number(a) + Number(b));
}

for (const question of ["What is 1+1?", "What is 12+30?", "What is 7+5?"]) {
  let by = "small";
  let answer = await ask(small, question, { reasoning: { maxTokens: 64 }, seed: 1 });
  if (!isRight(question, answer)) {
    by = "large";
    answer = await ask(large, question, { seed: 1 });
  }
  console.log(`${question} ${answer} (${by} model, ${isRight(question, answer)})`);
}
await Promise.all([small.close(), large.close()]);
