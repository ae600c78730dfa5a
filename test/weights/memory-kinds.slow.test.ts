// Claims on memory kinds: a model whose state cannot go back (recurrent, hybrid) or of which a part
// is gone (sliding windows) answers as a fresh context does, again and again, beside others; one
// request's failure is not another's; and a model that writes no text token by token is refused in
// words.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadModel, type Model } from "../../lib/index.js";
import { writeMemoryModel } from "../fixtures/memory-models.js";

const folder = mkdtempSync(join(tmpdir(), "r1-memory-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OPTIONS = { maxTokens: 6, temperature: 0, ignoreEos: true, loopGuard: false } as const;
const SHORT = "hello there my friend, how are you doing today? ";
const LONGER = `${SHORT}I am fine, and what about you, dear neighbour?`;
const LONG = SHORT.repeat(8);
const PROMPTS = [SHORT, LONGER, LONG];

const ask = async (model: Model, prompt: string): Promise<string> =>
  (await model.complete(prompt, OPTIONS).result()).text;

describe.each(["mamba", "jamba", "falcon-h1", "gemma2", "gemma3"] as const)("%s", (name) => {
  it("answers as a fresh context does, in any order and beside others", async () => {
    const path = writeMemoryModel(folder, name);
    const fresh = await loadModel(path, { contextSize: 1024, prefixCache: false });
    const truth: string[] = [];
    for (const prompt of PROMPTS) truth.push(await ask(fresh, prompt));
    await fresh.close();
    for (const kvUnified of [true, false]) {
      const model = await loadModel(path, {
        contextSize: 2048,
        sequences: 2,
        maxDraft: 4,
        kvUnified,
      });
      for (const i of [0, 0, 1, 0, 2, 1, 2, 0])
        expect(await ask(model, PROMPTS[i] ?? "")).toBe(truth[i]);
      const order = [0, 1, 2, 0, 1];
      const all = await Promise.all(order.map((i) => ask(model, PROMPTS[i] ?? "")));
      expect(all).toEqual(order.map((i) => truth[i]));
      await model.close();
    }
  });

  it("fails a request that does not fit alone, and ends a cancelled one alone", async () => {
    const model = await loadModel(writeMemoryModel(folder, name), {
      contextSize: 512,
      sequences: 2,
      kvUnified: false,
    });
    const truth = await ask(model, SHORT);
    const endless = model.complete(LONGER, { ...OPTIONS, maxTokens: 100_000 });
    const [first, tooLong, second] = await Promise.allSettled([
      ask(model, SHORT),
      ask(model, "x".repeat(20_000)),
      ask(model, SHORT),
    ]);
    endless.cancel();
    expect([first, second].map((end) => end.status === "fulfilled" && end.value)).toEqual([
      truth,
      truth,
    ]);
    expect(tooLong).toMatchObject({ status: "rejected", reason: { code: "PROMPT_TOO_LONG" } });
    expect((await endless.result()).finishReason).toMatch(/aborted|length/);
    expect(await ask(model, SHORT)).toBe(truth);
    await model.close();
  });

  it("keeps choices, sessions and what they save", async () => {
    const model = await loadModel(writeMemoryModel(folder, name), {
      contextSize: 2048,
      sequences: 3,
    });
    const choices = model.choices([{ role: "user", content: LONGER }], { ...OPTIONS, n: 3 });
    const texts = await Promise.all(choices.map(async (one) => (await one.result()).text));
    expect(new Set(texts).size).toBe(1);
    const session = model.session();
    await session.send(SHORT, OPTIONS).result();
    const saved = await session.save();
    const next = (await session.send("more", OPTIONS).result()).text;
    const restored = await model.restoreSession(saved);
    expect((await restored.send("more", OPTIONS).result()).text).toBe(next);
    await model.close();
  });
});

describe.each([
  ["t5", /encoder, which this library does not run/],
  ["t5encoder", /is an encoder/],
  ["bert", /is an encoder/],
  ["dream", /by diffusion/],
] as const)("%s", (name, words) => {
  it.each(["auto", "never"] as const)("is refused in words with trial %s", async (trial) => {
    const path = writeMemoryModel(folder, name);
    const error: unknown = await loadModel(path, { trial }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "MODEL_UNSUPPORTED" });
    expect((error as Error).message).toMatch(words);
    expect((error as Error).message).not.toMatch(/GGML_ASSERT|process that tried/);
  });
});
