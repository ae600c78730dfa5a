// Speculation: several tokens are drafted at once and checked in one step. Text that repeats its
// prompt (code edits, summaries) is drafted from the text itself, anything else by a small model.
// Greedy replies stay the same, token for token.
//
//   node examples/speculation.mjs [MODEL] [DRAFT_MODEL]
import { loadModel } from "r1-native";

const [path, draftModel] = process.argv.slice(2);
const model = await loadModel(path, draftModel === undefined ? {} : { draftModel });
const messages = [{ role: "user", content: "What is 12+30? And what is 12+30? And 12+30?" }];
const greedy = { temperature: 0, cachePrompt: false };

const plain = await model.chat(messages, { ...greedy, speculation: false }).result();
const drafted = await model
  .chat(messages, {
    ...greedy,
    speculation: draftModel === undefined ? { ngram: 8 } : { draft: 7 },
  })
  .result();

for (const [name, { timings }] of Object.entries({ plain, drafted })) {
  const { tokensPerSecond, draftedTokens, acceptedTokens } = timings;
  console.log(
    `${name}: ${tokensPerSecond.toFixed(0)} tokens/s, ` +
      `${acceptedTokens} of ${draftedTokens} drafted tokens accepted`,
  );
}
console.log(plain.text === drafted.text ? "The replies are the same." : "The replies differ.");
await model.close();
