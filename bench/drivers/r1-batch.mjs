// The driver of this library's batch runner: rows in a file, records in another one, each on the
// disk before it counts. A process of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { libraryEntry, loadModel } from "../probes/library.mjs";
import { SAMPLING } from "./streams.mjs";

const { runBatchFile } = await libraryEntry("batch");
let model;

/** @param config - path, and options of loadModel. */
export async function open({ path, ...options }) {
  const start = performance.now();
  model = await loadModel(path, { prefixCache: false, maxDraft: 0, ...options });
  return { loadMs: performance.now() - start };
}

/** @param requests - prompt (text), maxTokens, seed. */
export async function generate(requests) {
  const folder = mkdtempSync(join(tmpdir(), "r1-native-bench-"));
  try {
    const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
    const row = ({ prompt, maxTokens, seed }, i) =>
      JSON.stringify({ id: `row ${i}`, prompt, raw: true, maxTokens, seed });
    writeFileSync(input, `${requests.map(row).join("\n")}\n`);
    const start = performance.now();
    await runBatchFile(model, { input, output, ...SAMPLING, ignoreEos: true, loopGuard: false });
    const wallMs = performance.now() - start;
    const rows = readFileSync(output, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => ({ tokens: JSON.parse(line).completion_tokens }));
    return { wallMs, rows };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function close() {
  await model?.close();
  model = undefined;
}
