// Asks, reads the stream, answers several at a time, and constrains a reply. Runs in the tested
// Node.
import { loadModel } from "../../../dist/index.js";
import { check, report } from "../report.mjs";

const SCHEMA = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
const ask = (content) => [{ role: "user", content }];

await report(async () => {
  const model = await loadModel(undefined, { sequences: 3 });
  const run = model.chat(ask("What is 1+1?"), { temperature: 0 });
  const kinds = new Set();
  let streamed = "";
  for await (const part of run) {
    kinds.add(part.type);
    if (part.type === "answer-delta") streamed += part.text;
  }
  const result = await run.result();
  check(kinds.has("reasoning-delta") && kinds.has("finish"), "parts arrive", [...kinds]);
  check(streamed === result.answer && streamed.includes("2"), "the answer is streamed", streamed);
  const together = await Promise.all(
    ["What is 1+1?", "What is 2+3?", "What is 4+4?"].map((text) =>
      model.chat(ask(text), { temperature: 0 }).result(),
    ),
  );
  check(together[0].answer === result.answer, "together as alone", together[0].answer);
  const { answer } = await model
    .chat(ask("What is 2+3?"), {
      temperature: 0,
      maxTokens: 300,
      response: { schema: SCHEMA },
    })
    .result();
  check(Number.isInteger(JSON.parse(answer).n), "a reply follows its schema", answer);
  await model.close();
  return { answer: result.answer, tokensPerSecond: Math.round(result.timings.tokensPerSecond) };
});
