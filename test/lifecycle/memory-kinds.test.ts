// Claims on memory kinds: a model whose state cannot go back (recurrent) answers again and again, beside
// others, and one request's failure is not another's.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { loadModel } from "../../lib/index.js";
import { parse, write } from "../fuzz/headers/gguf.mjs";
import type { Pair, Tensor } from "../fuzz/headers/gguf.mjs";

const TINY = join(import.meta.dirname, "../../models/tiny-r1.gguf");
const folder = mkdtempSync(join(tmpdir(), "r1-memory-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A small mamba with random weights and the embedded model's vocabulary. */
function mamba(): string {
  const [width, inner, state, conv, rank, layers] = [64, 128, 16, 4, 8, 2] as const;
  const counts = {
    block_count: layers,
    context_length: 2048,
    embedding_length: width,
    feed_forward_length: 0,
    "attention.head_count": 0,
    "ssm.conv_kernel": conv,
    "ssm.inner_size": inner,
    "ssm.state_size": state,
    "ssm.time_step_rank": rank,
    vocab_size: 768,
  };
  const pairs: Pair[] = [
    { key: "general.architecture", type: "str", value: Buffer.from("mamba") },
    { key: "mamba.attention.layer_norm_rms_epsilon", type: "f32", value: 1e-6 },
    ...Object.entries(counts).map(([key, value]) => ({ key: `mamba.${key}`, type: "u32", value })),
    ...parse(TINY).pairs.filter(({ key }) => key.startsWith("tokenizer.")),
  ];
  const tensors: Tensor[] = [];
  let seed = 99;
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32 - 0.5;
  };
  const add = (name: string, shape: number[], value?: number): void => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) values[i] = value ?? random() * 0.6;
    tensors.push({ name, shape, type: 0, data: Buffer.from(values.buffer) });
  };
  add("token_embd.weight", [width, 768]);
  add("output_norm.weight", [width], 1);
  add("output.weight", [width, 768]);
  for (let i = 0; i < layers; i++) {
    const at = `blk.${i}.`;
    add(`${at}attn_norm.weight`, [width], 1);
    add(`${at}ssm_in.weight`, [width, 2 * inner]);
    add(`${at}ssm_conv1d.weight`, [conv, inner]);
    add(`${at}ssm_conv1d.bias`, [inner]);
    add(`${at}ssm_x.weight`, [inner, rank + 2 * state]);
    add(`${at}ssm_dt.weight`, [rank, inner]);
    add(`${at}ssm_dt.bias`, [inner]);
    add(`${at}ssm_a`, [state, inner], -1);
    add(`${at}ssm_d`, [inner], 1);
    add(`${at}ssm_out.weight`, [inner, width]);
  }
  const path = join(folder, "mamba.gguf");
  writeFileSync(path, write({ pairs, tensors }));
  return path;
}

it("a recurrent model gives the same answer to the same prompt, also beside others and with guesses asked for", async () => {
  const model = await loadModel(mamba(), { contextSize: 2048, sequences: 2, maxDraft: 4 });
  const beside = model.complete("beside", { ignoreEos: true, maxTokens: 400, loopGuard: false });
  const answers: string[] = [];
  for (let i = 0; i < 3; i++) {
    const options = { maxTokens: 5, temperature: 0 } as const;
    answers.push((await model.complete("hello there my friend", options).result()).text);
  }
  beside.cancel();
  expect((await beside.result()).finishReason).toMatch(/aborted|length/);
  expect(new Set(answers).size).toBe(1);
  await model.close();
});
