// What `npm start` shows: the embedded model thinks about a question and answers it. The reasoning
// is dimmed, the answer is plain, and a line of timings ends it.
//
//   node examples/start.mjs [QUESTION]
import { styleText } from "node:util";
import { isR1Error, loadModel } from "r1-native";

const question = process.argv.slice(2).join(" ") || "What is 1+1?";

function show(part) {
  if (part.type === "reasoning-delta") process.stdout.write(styleText("dim", part.text));
  else if (part.type === "reasoning-end") process.stdout.write("\n\n");
  else if (part.type === "answer-delta") process.stdout.write(part.text);
}

function timingsLine(model, { timings }) {
  const { cache } = model.info;
  return [
    `prompt ${timings.promptTokensPerSecond.toFixed(0)} tokens/s`,
    `reply ${timings.tokensPerSecond.toFixed(0)} tokens/s`,
    `first token ${timings.firstTokenMs.toFixed(1)} ms`,
    `K cache ${cache.bytes.toLocaleString("en")} bytes (${cache.typeK})`,
  ].join(", ");
}

async function main() {
  const model = await loadModel();
  try {
    console.log(styleText("bold", question));
    const run = model.chat([{ role: "user", content: question }], { seed: 3407 });
    for await (const part of run) show(part);
    console.log(`\n\n${timingsLine(model, await run.result())}`);
  } finally {
    await model.close();
  }
}

try {
  await main();
} catch (error) {
  if (!isR1Error(error)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
