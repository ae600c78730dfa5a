// Loads broken model files one after the other through the public API, and generates a few tokens
// from those that load; tells each outcome over IPC, so that the parent knows which file ended the
// process. Main thread of a process of its own.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { isR1Error, loadModel } from "../../../../dist/index.js";
import { readGguf, writeGguf } from "../../../../scripts/gguf-writer.mjs";
import { layoutOf, mutate } from "./mutate.mjs";
import { restructure } from "./restructure.mjs";

async function outcomeOf(path) {
  let model;
  try {
    model = await loadModel(path, { contextSize: 256, threads: 1 });
  } catch (error) {
    if (isR1Error(error)) return error.code;
    return `not an R1Error: ${error?.stack ?? error}`;
  }
  try {
    const result = await model
      .complete("<｜User｜>What is 1+1?<｜Assistant｜>", { maxTokens: 6, seed: 1 })
      .result();
    return Number.isInteger(result.tokens.length) ? "ok" : "no result";
  } catch (error) {
    if (isR1Error(error)) return `loaded, then ${error.code}`;
    return `loaded, then not an R1Error: ${error?.stack ?? error}`;
  } finally {
    await model.close();
  }
}

/** Writes the broken model of a seed and says what kind it is. */
async function writer(base, kind) {
  if (kind === "structure") {
    const good = await readGguf(base);
    return async (path, seed) => {
      const { pairs, tensors } = restructure(good, seed);
      await writeGguf(path, pairs, tensors);
      return "wrong structure";
    };
  }
  const bytes = readFileSync(base);
  const layout = layoutOf(bytes);
  return (path, seed) => {
    const mutant = mutate(bytes, layout, seed);
    writeFileSync(path, mutant.bytes);
    return mutant.kind;
  };
}

process.on("disconnect", () => process.exit(1));
process.on("message", async ({ base, path, from, to, kind }) => {
  const write = await writer(base, kind);
  for (let seed = from; seed < to; seed++) {
    const what = await write(path, seed);
    process.send({ seed, kind: what, started: true });
    const before = performance.now();
    const outcome = await outcomeOf(path);
    process.send({ seed, kind: what, outcome, ms: performance.now() - before });
  }
  rmSync(path, { force: true });
  process.send({ done: true }, () => process.exit(0));
});
