// Claims on the process of a trial itself: it ends with its parent, has a deadline, needs no memory
// for a large file, and its absence is an error with a code. Linux: processes are looked up in
// /proc.
import { execFile, execFileSync, spawn } from "node:child_process";
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { plainEngine, tryBeforeLoading } from "../../dist/binding/trial.js";
import { isR1Error } from "../../dist/index.js";
import type { NativeModelConfig } from "../../lib/binding/native.js";
import { parse, writeHeader } from "../fuzz/headers/gguf.mjs";
import type { Pair } from "../fuzz/headers/gguf.mjs";

const ROOT = join(import.meta.dirname, "../..");
const TINY = join(ROOT, "models/tiny-r1.gguf");
const PROGRAM = join(ROOT, "dist/binding/model-trial.js");
const folder = mkdtempSync(join(tmpdir(), "r1-trial-process-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const configOf = (path: string): NativeModelConfig => ({
  paths: [path],
  gpuLayers: 0,
  devices: [],
  mainGpu: 0,
  splitMode: "layer",
  tensorSplit: [],
  tensorOverrides: [],
  loadMode: "none",
  checkTensors: false,
  repack: true,
  mla: false,
  vocabOnly: false,
  metadataOverrides: [],
});

const trialOf = (path: string): Parameters<typeof tryBeforeLoading>[0] => ({
  mode: "always",
  parts: [{ path, headerBytes: 1000 }],
  sizeBytes: 1,
  model: configOf(path),
  engine: plainEngine(512),
});

/** A file whose reader waits for ever: a pipe that nobody writes to. */
function endless(): string {
  const path = join(folder, `pipe-${readdirSync(folder).length}`);
  execFileSync("mkfifo", [path]);
  return path;
}

const until = async (isTrue: () => boolean): Promise<void> => {
  const end = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error("it did not happen within 20 s");
    await new Promise((done) => setTimeout(done, 20));
  }
};

const failureOf = async (work: Promise<unknown>): Promise<{ code: string; reason: unknown }> =>
  work.then(
    () => ({ code: "none", reason: undefined }),
    (error: unknown) =>
      isR1Error(error)
        ? { code: error.code, reason: error.details["reason"] }
        : { code: String(error), reason: undefined },
  );

describe.skipIf(process.platform !== "linux")("the process of a trial", () => {
  it("ends when its parent is gone, though the file holds it for ever", async () => {
    const path = endless();
    const child = spawn(process.execPath, [PROGRAM], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    const link = child.stdio[3] as Socket;
    const ended = new Promise((done) => child.on("exit", (code, signal) => done(code ?? signal)));
    const task = { model: configOf(path), engine: plainEngine(512), withData: false };
    link.write(`${JSON.stringify(task)}\n`);
    // Its own end, were it none, would come before this.
    await new Promise((done) => setTimeout(done, 3000));
    expect(child.exitCode).toBeNull();
    // As the system does for a parent that is gone.
    link.destroy();
    expect(await ended).toBe(1);
  });

  it(
    "has a deadline: MODEL_LOAD_FAILED, and the process is gone",
    { timeout: 90_000 },
    async () => {
      const before = trials();
      // Without parts: to fingerprint the pipe would wait as well.
      const trial = { ...trialOf(endless()), parts: [] };
      const work = failureOf(tryBeforeLoading(trial, new AbortController().signal));
      await until(() => trials().length > before.length);
      expect(await work).toEqual({ code: "MODEL_LOAD_FAILED", reason: "deadline" });
      await until(() => trials().length <= before.length);
    },
  );

  it("that cannot be started for want of descriptors is RESOURCE_EXHAUSTED, in a process that goes on", async () => {
    const code = `
      import { openSync, closeSync } from "node:fs";
      import { plainEngine, tryBeforeLoading } from "${ROOT}/dist/binding/trial.js";
      const trial = ${JSON.stringify({ ...trialOf(TINY), engine: null })};
      trial.engine = plainEngine(512);
      const signal = new AbortController().signal;
      await tryBeforeLoading(trial, signal);
      const taken = [];
      try { for (;;) taken.push(openSync("/dev/null")); } catch {}
      const failed = await tryBeforeLoading(trial, signal).then(() => "none", (error) => error.code);
      for (const each of taken) closeSync(each);
      await tryBeforeLoading(trial, signal);
      console.log(failed);
    `;
    const script = join(folder, "exhausted.mjs");
    writeFileSync(script, code);
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      `ulimit -n 100; exec "${process.execPath}" "${script}"`,
    ]);
    expect(stdout.trim()).toBe("RESOURCE_EXHAUSTED");
  });

  it("takes no memory for 131 GB of weights", { timeout: 120_000 }, async () => {
    const path = join(folder, "large.gguf");
    const size = writeLarge(path);
    expect(size).toBeGreaterThan(131e9);
    const trial = { ...trialOf(path), sizeBytes: size };
    const script = join(folder, "large.mjs");
    writeFileSync(
      script,
      `import { tryBeforeLoading } from "${ROOT}/dist/binding/trial.js";
       await tryBeforeLoading(${JSON.stringify(trial)}, new AbortController().signal);
       console.log("passed");`,
    );
    // 3 GiB of data of its own: the weights would take 131 GB of it.
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      `ulimit -d ${3 * 1024 * 1024}; exec "${process.execPath}" "${script}"`,
    ]);
    expect(stdout.trim()).toBe("passed");
  });
});

/** Processes that try a model for this one. */
function trials(): string[] {
  const threads = readdirSync("/proc/self/task");
  const children = threads.flatMap((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" ").filter(Boolean);
    } catch {
      return [];
    }
  });
  return children.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("model-trial");
    } catch {
      return false;
    }
  });
}

/** A llama of 80 large layers as a sparse file; returns its size. */
function writeLarge(path: string): number {
  const [width, inner, layers, heads, vocabulary] = [8192, 28_672, 80, 64, 768] as const;
  const counts = {
    block_count: layers,
    context_length: 2048,
    embedding_length: width,
    feed_forward_length: inner,
    "attention.head_count": heads,
    "attention.head_count_kv": heads,
    "rope.dimension_count": width / heads,
    vocab_size: vocabulary,
  };
  const pairs: Pair[] = [
    { key: "general.architecture", type: "str", value: Buffer.from("llama") },
    { key: "llama.attention.layer_norm_rms_epsilon", type: "f32", value: 1e-6 },
    ...Object.entries(counts).map(([key, value]) => ({ key: `llama.${key}`, type: "u32", value })),
    ...parse(TINY).pairs.filter(({ key }) => key.startsWith("tokenizer.")),
  ];
  const tensors: { name: string; shape: number[]; type: number; data: { length: number } }[] = [];
  const add = (name: string, ...shape: number[]): void => {
    // Vectors in f32, matrices in f16.
    const type = shape.length === 1 ? 0 : 1;
    const length = shape.reduce((a, b) => a * b, 1) * (type === 0 ? 4 : 2);
    tensors.push({ name: `${name}.weight`, shape, type, data: { length } });
  };
  add("token_embd", width, vocabulary);
  add("output_norm", width);
  add("output", width, vocabulary);
  for (let i = 0; i < layers; i++) {
    for (const norm of ["attn_norm", "ffn_norm"]) add(`blk.${i}.${norm}`, width);
    for (const part of ["q", "k", "v", "output"]) add(`blk.${i}.attn_${part}`, width, width);
    for (const part of ["gate", "up"]) add(`blk.${i}.ffn_${part}`, width, inner);
    add(`blk.${i}.ffn_down`, inner, width);
  }
  const header = writeHeader({ pairs, tensors });
  // Every length is a multiple of the alignment.
  const size = header.length + tensors.reduce((sum, { data }) => sum + data.length, 0);
  writeFileSync(path, header);
  truncateSync(path, size);
  return size;
}
