// The Flappy Bird test of R1's quants: streams the reply to the published prompt, takes the Python
// program out of its answer, checks that it parses, and scores it by the eight demands of the
// prompt. The program is not run, unless --run is given: then for five seconds without a display, in
// a sandbox (bubblewrap) that has no network and none of your files.
//
//   node examples/flappy-bird.mjs MODEL [--seed N] [--save FILE] [--run]
//   node examples/flappy-bird.mjs --reply FILE [--save FILE] [--run]
//
// FILE of --reply is what `r1-native run --json` writes. Exit code: 0 if the reply holds a whole
// program that parses, and with --run if it ran without an error.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs, styleText } from "node:util";
import { isR1Error, loadModel } from "r1-native";
import { pythonBlock } from "./flappy-bird/block.mjs";
import { readProgram, runProgram } from "./flappy-bird/python.mjs";
import { score } from "./flappy-bird/score.mjs";

export const PROMPT = `Create a Flappy Bird game in Python. You must include these things:
1. You must use pygame.
2. The background color should be randomly chosen and is a light shade. Start with a light blue color.
3. Pressing SPACE multiple times will accelerate the bird.
4. The bird's shape should be randomly chosen as a square, circle or triangle. The color should be randomly chosen as a dark color.
5. Place on the bottom some land colored as dark brown or yellow chosen randomly.
6. Make a score shown on the top right side. Increment if you pass pipes and don't hit them.
7. Make randomly spaced pipes with enough space. Color them randomly as dark green or light brown or a dark gray shade.
8. When you lose, show the best score. Make the text inside the screen. Pressing q or Esc will quit the game. Restarting is pressing SPACE again.
The final game should be inside a markdown section in Python. Check your code for errors and fix them before the final markdown section.`;

/** Streams the reply of a model; the settings are those of the published comparison. */
async function ask(path, seed) {
  const model = await loadModel(path, { contextSize: 16_384, cacheTypeK: "q4_0" });
  try {
    const run = model.chat([{ role: "user", content: PROMPT }], { temperature: 0.6, seed });
    for await (const part of run) {
      if (part.type === "reasoning-delta") process.stderr.write(styleText("dim", part.text));
      else if (part.type === "answer-delta") process.stderr.write(part.text);
    }
    process.stderr.write("\n\n");
    return await run.result();
  } finally {
    await model.close();
  }
}

const USAGE =
  "usage: node examples/flappy-bird.mjs MODEL | --reply FILE [--seed N] [--save FILE] [--run]";

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      reply: { type: "string" },
      seed: { type: "string", default: "3407" },
      save: { type: "string" },
      run: { type: "boolean", default: false },
    },
  });
  if ((values.reply === undefined) === (positionals.length === 0)) throw new Error(USAGE);
  const reply =
    values.reply === undefined
      ? await ask(positionals[0], Number(values.seed))
      : JSON.parse(readFileSync(values.reply, "utf8"));

  const code = pythonBlock(reply);
  if (values.save !== undefined) writeFileSync(values.save, code);
  const facts = await readProgram(code);
  const { points, demands } = score(code, facts);
  for (const { number, demand, isMet, why } of demands)
    console.log(`${isMet ? "yes" : "no "}  ${number}. ${demand}${isMet ? "" : `: ${why}`}`);
  console.log(`${points} of ${demands.length} demands, by reading the program`);
  if (values.run) {
    const seconds = await runProgram(code);
    console.log(`It ran ${seconds.toFixed(1)} s in the sandbox without an error.`);
  }
}

try {
  await main();
} catch (error) {
  console.error(isR1Error(error) ? `${error.code}: ${error.message}` : error.message);
  process.exitCode = 1;
}
