// Reads lines "NUMBER PATH" from standard input, loads and asks each file with the options that its
// number selects, and writes one line of what came of it: "answered", or the code of the error;
// "PLAIN" where that was no R1Error.
import { createInterface } from "node:readline";
import { isR1Error, loadModel } from "../../../dist/index.js";

const kindOf = (error) =>
  isR1Error(error)
    ? `${error.code}${error.details.reason === "crash" ? "(trial)" : ""}`
    : `PLAIN ${String(error?.stack ?? error).replaceAll("\n", " | ")}`;

const questions = [
  (model) => model.complete("<｜User｜>What is 1+1?<｜Assistant｜>", { maxTokens: 4, seed: 1 }),
  (model) => model.complete("<｜User｜>What is 1+2?<｜Assistant｜>", { maxTokens: 4, seed: 1 }),
  (model) => model.chat([{ role: "user", content: "hi" }], { maxTokens: 4 }),
];

async function askAll(model) {
  const said = [];
  for (const question of questions) {
    try {
      await question(model).result();
    } catch (error) {
      said.push(kindOf(error));
    }
  }
  return said.length === 0 ? "answered" : `answered-${said.join("+")}`;
}

async function attempt(path, number) {
  try {
    const model = await loadModel(path, {
      contextSize: 512,
      threads: 1,
      sequences: 1 + (number % 2),
      flashAttention: ["auto", "off"][number % 3 === 0 ? 1 : 0],
    });
    try {
      return await askAll(model);
    } finally {
      await model.close();
    }
  } catch (error) {
    return kindOf(error);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [, number, path] = /^(\d+) (.*)$/.exec(line);
  process.stdout.write(`${await attempt(path, Number(number))}\n`);
}
