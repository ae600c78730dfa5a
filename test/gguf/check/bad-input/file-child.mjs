// Hands broken model files, parts and importance matrices to everything that works on files, one
// after the other; tells each outcome over IPC, so that the parent knows which one ended the
// process. What quantising starts is a process of its own. Main thread of a process of its own.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as files from "../../../../dist/files.js";
import { isR1Error } from "../../../../dist/index.js";
import { planOffload } from "../../../../dist/plan.js";
import { readGguf, writeGguf } from "../../../../scripts/gguf-writer.mjs";
import { layoutOf, mutate } from "./mutate.mjs";
import { restructure } from "./restructure.mjs";

const TEXT = "What is 1+1? It is 2. ".repeat(10);

/** What is done with a broken model, or with a good one and a broken file beside it. */
const WORK = {
  inspect: ({ model }) => files.inspectGguf(model),
  doctor: ({ model }) => files.diagnose(model),
  "doctor --fix": ({ model, out }) => files.fixGguf(model, out),
  plan: ({ model }) => planOffload(model, { vramGiB: 1, contextSize: 256 }),
  split: ({ model, out }) => files.splitGguf(model, out, { maxTensors: 20 }),
  "merge, first part broken": ({ firstPart, out }) => files.mergeGguf(firstPart, out),
  "merge, second part broken": ({ secondPart, out }) => files.mergeGguf(secondPart, out),
  quantize: ({ model, out }) =>
    files.quantize(model, out, { type: "Q4_0", threads: 1, allowRequantize: true }),
  "quantize, matrix broken": ({ good, matrix, out }) =>
    files.quantize(good, out, { type: "Q4_0", imatrix: matrix, threads: 1 }),
  "read the matrix": ({ matrix }) => files.readImatrix(matrix),
  "read the older matrix": ({ olderMatrix }) => files.readImatrix(olderMatrix),
  imatrix: ({ model, out }) =>
    files.computeImatrix(model, TEXT, { out, chunkSize: 32, threads: 1 }),
};

async function outcomeOf(work, files) {
  try {
    await work(files);
    return "ok";
  } catch (error) {
    return isR1Error(error) ? error.code : `not an R1Error: ${error?.stack ?? error}`;
  }
}

/** An older binary matrix with a value for each input of two weights. */
function olderMatrix() {
  const int = (value) => Buffer.from(Int32Array.of(value).buffer);
  const entries = ["blk.0.attn_q_a.weight", "blk.1.ffn_down_exps.weight"].flatMap((name) => {
    const values = Buffer.from(Float32Array.from({ length: 192 }, (_, i) => i + 1).buffer);
    return [int(name.length), Buffer.from(name), int(3), int(192), values];
  });
  return Buffer.concat([int(2), ...entries, int(5), int(4), Buffer.from("text")]);
}

/**
 * Makes the files of a seed: a broken model, two split models with one part broken each, and two
 * broken matrices.
 */
async function maker(good, folder) {
  const parts = join(folder, "parts");
  mkdirSync(parts);
  const { paths } = await files.splitGguf(good, join(parts, "m"), { maxTensors: 40 });
  await files.computeImatrix(good, TEXT, {
    out: join(parts, "matrix.gguf"),
    chunkSize: 32,
    threads: 1,
  });
  const whole = [good, ...paths, join(parts, "matrix.gguf")].map((path) => readFileSync(path));
  const layouts = whole.map(layoutOf);
  const [model, first, second, matrix] = [0, 1, 2, whole.length - 1];
  const broken = (index, seed) => mutate(whole[index], layouts[index], seed).bytes;
  const structure = await readGguf(good);
  return async (at, seed) => {
    mkdirSync(at);
    const place = (name, bytes) => {
      writeFileSync(join(at, name), bytes);
      return join(at, name);
    };
    const set = (prefix, index) => {
      paths.forEach((path, i) =>
        place(
          path.slice(dirname(path).length + 1).replace("m-", `${prefix}-`),
          i + 1 === index ? broken(index, seed) : whole[i + 1],
        ),
      );
      return join(at, `${prefix}-00001-of-0000${paths.length}.gguf`);
    };
    const modelPath = join(at, "model.gguf");
    if (seed % 3 === 0) {
      const { pairs, tensors } = restructure(structure, seed);
      await writeGguf(modelPath, pairs, tensors);
    } else place("model.gguf", broken(model, seed));
    const older = olderMatrix();
    older[seed % older.length] ^= 1 << (seed % 8);
    return {
      good,
      model: modelPath,
      firstPart: set("a", first),
      secondPart: set("b", second),
      matrix: place("matrix.gguf", broken(matrix, seed)),
      olderMatrix: place(
        "matrix.dat",
        seed % 4 === 0 ? older.subarray(0, seed % older.length) : older,
      ),
      out: join(at, "out.gguf"),
    };
  };
}

process.on("disconnect", () => process.exit(1));
process.on("message", async ({ base, path: folder, from, to }) => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const make = await maker(base, folder);
  for (let seed = from; seed < to; seed++) {
    const at = join(folder, "now");
    const files = await make(at, seed);
    const before = readdirSync(at).length;
    for (const [kind, work] of Object.entries(WORK)) {
      process.send({ seed, kind, started: true });
      const begun = performance.now();
      const outcome = await outcomeOf(work, files);
      const left = readdirSync(at).length - before;
      // Nothing may be left of what failed.
      process.send({
        seed,
        kind,
        outcome: outcome !== "ok" && left > 0 ? `${outcome}, leaving ${left} files` : outcome,
        ms: performance.now() - begun,
      });
      for (const name of readdirSync(at)) if (name.startsWith("out.gguf")) rmSync(join(at, name));
    }
    rmSync(at, { recursive: true });
  }
  rmSync(folder, { recursive: true, force: true });
  process.send({ done: true }, () => process.exit(0));
});
