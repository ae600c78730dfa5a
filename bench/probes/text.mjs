// Measures how fast texts are tokenised on one core. Runs in a child process.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TEXTS } from "../core/hostile.mjs";
import { loadModel } from "./library.mjs";

const docs = fileURLToPath(new URL("../../docs/", import.meta.url));

/** English as people write it: this project's own documents, `megabytes` of them. */
export function english({ megabytes }) {
  const all = readdirSync(docs, { recursive: true })
    .filter((name) => name.endsWith(".md"))
    .map((name) => readFileSync(docs + name, "utf8"))
    .join("\n")
    .replace(/[^\x20-\x7e\n]/g, "");
  return all.repeat(Math.ceil((megabytes * 1e6) / all.length)).slice(0, megabytes * 1e6);
}

/** Megabytes a second, the best and the median of `rounds`. */
export async function run({ path, rounds }) {
  const model = await loadModel(path, { threads: 1, contextSize: 256, trial: "never" });
  const texts = { "English, this project's documents": english({ megabytes: 4 }) };
  for (const kind of ["Chinese", "ideographs", "minified code", "mixed scripts", "one letter"])
    texts[kind] = TEXTS[kind]();
  const found = {};
  for (const [name, text] of Object.entries(texts)) {
    const bytes = Buffer.byteLength(text);
    const speeds = [];
    for (let i = 0; i < rounds; i++) {
      const start = performance.now();
      model.tokenizer.encode(text);
      speeds.push(bytes / 1000 / (performance.now() - start));
    }
    found[name] = speeds;
  }
  await model.close();
  return found;
}
