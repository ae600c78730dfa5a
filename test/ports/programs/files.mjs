// Splits a model, loads its parts, merges them, replaces files that exist and refuses one that is in
// use. Runs in the tested Node.
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspectGguf, mergeGguf, quantize, splitGguf } from "../../../dist/files.js";
import { DEFAULT_MODEL_PATH, loadModel, lockFile } from "../../../dist/index.js";
import { check, codeOf, given, report } from "../report.mjs";

const hash = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

await report(async () => {
  const at = (name) => join(given.folder, name);
  copyFileSync(DEFAULT_MODEL_PATH, at("mödel.gguf"));
  const { paths } = await splitGguf(at("mödel.gguf"), at("part"), { maxTensors: 20 });
  check(paths.length > 1, "parts are made", paths);
  const again = await splitGguf(at("mödel.gguf"), at("part"), { maxTensors: 20, force: true });
  check(again.paths.length === paths.length, "parts are replaced", again.paths);
  await mergeGguf(paths[0], at("whole.gguf"));
  const twice = await splitGguf(at("whole.gguf"), at("twice"), { maxTensors: 20 });
  const hashes = [paths, twice.paths].map((names) => names.map(hash).join());
  check(hashes[0] === hashes[1], "the merged file has the same parts", paths);
  const exists = await codeOf(mergeGguf(paths[0], at("whole.gguf")));
  check(exists === "FILE_EXISTS", "no file is replaced without force", exists);
  await mergeGguf(paths[0], at("whole.gguf"), { force: true });
  const model = await loadModel(paths[0]);
  const { answer } = await model
    .chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 })
    .result();
  check(answer.includes("2"), "the parts answer", answer);
  const options = { type: "Q8_0", allowRequantize: true };
  await quantize(at("mödel.gguf"), at("small.gguf"), options);
  check((await inspectGguf(at("small.gguf"))).problems.length === 0, "it is quantised", options);
  await model.close();
  const lock = lockFile(at("whole.gguf"));
  check(lockFile(at("whole.gguf")) === "busy", "a lock has one holder", 0);
  check((await inspectGguf(at("whole.gguf"))).tensors.length > 0, "a locked file is readable", 0);
  lock.release();
  const left = readdirSync(given.folder).filter((name) => /partial|lock|r1-old/.test(name));
  check(left.length === 0, "nothing is left behind", left);
  return { parts: paths.length };
});
