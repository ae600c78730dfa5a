// The benchmark's models: the embedded one and the synthetic ones, which are written into
// bench/out/models on first use. Runs in the main process.
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runProgram } from "./processes.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Names of the models, and what each is. */
export const MODELS = {
  "tiny-r1": "the embedded model (deepseek2, 6.6 M parameters, trained)",
  "qwen-0.5b": "0.5B shape (24 layers, 896, 14 heads, 2 KV heads, 4864, tied), random q4_0 weights",
  "qwen-1.5b":
    "R1-Distill-Qwen-1.5B's shape (28 layers, 1536, 12 heads, 2 KV heads, 8960), random q4_0 weights",
  "r1-cells":
    "R1's vocabulary (129,280 tokens), 16 small layers with 256 KiB of cells a token, random weights",
};

/** Returns the file of a model; writes it if it does not exist yet. */
export async function modelPath(name, progress) {
  if (name === "tiny-r1") return `${root}models/tiny-r1.gguf`;
  const path = `${root}bench/out/models/${name}.gguf`;
  if (!existsSync(path)) {
    progress(`writing the synthetic model ${name}`);
    const unfinished = `${path}.unfinished`;
    await runProgram(process.execPath, [
      `${root}scripts/make-synthetic.mjs`,
      "--shape",
      name,
      "--out",
      unfinished,
    ]);
    await rename(unfinished, path);
  }
  return path;
}
