// What streams out of the real addon: whole characters, stop strings held back, log probabilities,
// seeds, limits.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerationResult } from "../../lib/base/types.js";
import type { Model } from "../../lib/model/model.js";
import type { Generation } from "../../lib/engine/generation.js";
import { ENDLESS, GREEDY, collect, loadTiny } from "../fixtures/tiny.js";

const RAW = "<｜User｜>What is 1+1?<｜Assistant｜>";
/** Half a character. */
const LONE_SURROGATE = /\p{Surrogate}/u;

let model: Model;
let reference: GenerationResult;
beforeAll(async () => {
  model = await loadTiny();
  reference = await model.complete(RAW, GREEDY).result();
});
afterAll(() => model.close());

describe("the stop string that ended it", () => {
  it("is told of several, and only then", async () => {
    const { answer } = reference;
    const [first, second] = [answer.slice(1, 3), answer.slice(3, 5)];
    const stop = ["never", second, first];
    const run = model.complete(RAW, { ...GREEDY, stop });
    const parts = await collect(run);
    const result = await run.result();
    expect(result.finishReason).toBe("stop-string");
    const text = result.text;
    expect(stop).toContain(result.stopString);
    expect(reference.text.startsWith(text + String(result.stopString))).toBe(true);
    expect(parts.at(-1)).toMatchObject({ type: "finish", stopString: result.stopString });
    expect(reference).not.toHaveProperty("stopString");
  });
});

describe("text", () => {
  it("never breaks a character, whatever bytes come up", async () => {
    for (let seed = 0; seed < 20; seed++) {
      // Hot and without limits: single bytes of characters come up in any order.
      const run = model.complete("日本", {
        ...ENDLESS,
        seed,
        temperature: 4,
        topK: 0,
        topP: 1,
        minP: 0,
        maxTokens: 120,
      });
      const parts = await collect(run);
      const { text, reasoning, answer } = await run.result();
      for (const part of parts) if ("text" in part) expect(part.text).not.toMatch(LONE_SURROGATE);
      expect(text).not.toMatch(LONE_SURROGATE);
      const joined = (type: string): string =>
        parts.map((part) => (part.type === type && "text" in part ? part.text : "")).join("");
      expect(joined("reasoning-delta")).toBe(reasoning);
      expect(joined("answer-delta")).toBe(answer);
    }
  });

  it("of Chinese and emoji comes through whole", async () => {
    const run = model.chat(
      [
        { role: "system", content: "Reply in Chinese." },
        { role: "user", content: "Hello!" },
      ],
      GREEDY,
    );
    const parts = await collect(run);
    const { answer } = await run.result();
    expect(answer).toMatch(/\p{Script=Han}/u);
    expect(parts.some((part) => "text" in part && part.text.includes("\ufffd"))).toBe(false);
  });

  it("is what the ids say", () => {
    expect(model.tokenizer.decode(reference.tokens.slice(0, -1))).toBe(reference.text);
    expect(reference.tokens.at(-1)).toBe(model.tokenizer.eos);
  });
});

describe("a stop string", () => {
  it("ends the text right before it, wherever it lies, and no part of one ever leaks", async () => {
    const { text } = reference;
    for (let at = 8; at + 4 <= text.length; at += 3) {
      const stop = text.slice(at, at + 4);
      const run = model.complete(RAW, { ...GREEDY, stop: [stop, "never here"] });
      const parts = await collect(run);
      const result = await run.result();
      expect(result.finishReason, JSON.stringify(stop)).toBe("stop-string");
      expect(result.text).toBe(text.slice(0, text.indexOf(stop)));
      for (const part of parts) if ("text" in part) expect(result.text).toContain(part.text);
    }
  });

  it("that does not come up holds nothing back in the end", async () => {
    const result = await model
      .complete(RAW, { ...GREEDY, stop: [`${reference.text.slice(-3)}!`] })
      .result();
    expect(result).toMatchObject({ text: reference.text, finishReason: "stop" });
  });
});

describe("log probabilities", () => {
  it("belong to the sampled tokens, with the most likely alternatives in order", async () => {
    const result = await model.complete(RAW, { ...GREEDY, logprobs: 3 }).result();
    expect(result.tokens).toEqual(reference.tokens);
    expect(result.logprobs?.map((entry) => entry.token)).toEqual([...result.tokens]);
    for (const entry of result.logprobs ?? []) {
      expect(entry.logprob).toBeLessThanOrEqual(0);
      expect(entry.top).toHaveLength(3);
      // Greedy takes the most likely one.
      expect(entry.top[0]?.token).toBe(entry.token);
      expect(entry.top[0]?.logprob).toBeCloseTo(entry.logprob, 5);
      expect(entry.top.map((other) => other.logprob)).toEqual(
        [...entry.top.map((other) => other.logprob)].sort((a, b) => b - a),
      );
    }
  });

  it("are those of the model, not of the sampler", async () => {
    const cool = await model.complete(RAW, { ...GREEDY, logprobs: 0 }).result();
    const hot = await model.complete(RAW, { temperature: 0.01, seed: 1, logprobs: 0 }).result();
    expect(hot.logprobs?.map((entry) => entry.logprob)).toEqual(
      cool.logprobs?.map((entry) => entry.logprob),
    );
    expect(cool.logprobs?.[0]?.top).toEqual([]);
    const named = await model
      .complete(RAW, { ...GREEDY, logprobs: true, topLogprobs: 2, maxTokens: 3 })
      .result();
    expect(named.logprobs?.map(({ top }) => top.length)).toEqual([2, 2, 2]);
    const off = await model.complete(RAW, { ...GREEDY, logprobs: false, maxTokens: 3 }).result();
    expect(off.logprobs).toBeUndefined();
    expect(() => model.complete(RAW, { logprobs: false, topLogprobs: 2 })).toThrow(/topLogprobs/);
  });
});

describe("an end", () => {
  it.each([1, 2, 7])("comes after exactly maxTokens %d with reason length", async (maxTokens) => {
    const result = await model.complete(RAW, { ...GREEDY, maxTokens }).result();
    expect(result).toMatchObject({
      finishReason: "length",
      tokens: reference.tokens.slice(0, maxTokens),
    });
    expect(result.usage.completionTokens).toBe(maxTokens);
  });

  it("comes with a stop token", async () => {
    const result = await model
      .complete(RAW, { ...GREEDY, stopTokens: [reference.tokens[5] as number] })
      .result();
    expect(result.finishReason).toBe("stop");
    expect(result.tokens).toEqual(
      reference.tokens.slice(0, [...reference.tokens].indexOf(reference.tokens[5] as number) + 1),
    );
  });

  it("does not come by itself with ignoreEos", async () => {
    const result = await model
      .complete(RAW, { ...GREEDY, ignoreEos: true, maxTokens: 200 })
      .result();
    expect(result.finishReason).toBe("length");
    expect(result.tokens).not.toContain(model.tokenizer.eos);
  });

  it("comes with timeoutMs", async () => {
    const result = await model.complete(RAW, { ...ENDLESS, timeoutMs: 30 }).result();
    expect(result.finishReason).toBe("timeout");
    expect(result.tokens.length).toBeGreaterThan(0);
  });

  it("comes with the loop guard when a text goes in a circle by itself, and never without it", async () => {
    // Greedily continued, these run in cycles of one, two and six tokens.
    for (const prompt of [
      "<think>so so so so so",
      "hello",
      "Count: one, two, one, two, one, two,",
    ]) {
      const once = (loopGuard: number | boolean) =>
        model.complete(prompt, { ...GREEDY, ignoreEos: true, maxTokens: 160, loopGuard }).result();
      const guarded = await once(48);
      expect(guarded.finishReason, prompt).toBe("loop");
      for (const off of [false, 0]) {
        const free = await once(off);
        expect(free).toMatchObject({ finishReason: "length", usage: { completionTokens: 160 } });
        expect(free.tokens.slice(0, guarded.tokens.length)).toEqual(guarded.tokens);
      }
    }
  });

  it("comes with the loop guard by itself after 1,024 tokens of one cycle, and not a token sooner", async () => {
    const roomy = await loadTiny({ contextSize: 4096 });
    const again = roomy.tokenizer.encode("so")[0] as number;
    const { finishReason, tokens } = await roomy
      .complete("so", { ...GREEDY, ignoreEos: true, logitBias: { [again]: 1000 } })
      .result();
    expect(finishReason).toBe("loop");
    expect(new Set(tokens)).toEqual(new Set([again]));
    // The prompt's own last token may be the first of them.
    expect([1023, 1024, 1025]).toContain(tokens.length);
    await roomy.close();
  });
});

describe("a seed", () => {
  it("gives the same ids in 100 runs, and another seed others", async () => {
    const once = (seed: number) =>
      model
        .complete(RAW, { seed, temperature: 1.5, minP: 0, topK: 0, topP: 1, maxTokens: 40 })
        .result();
    const first = await once(3407);
    for (let i = 0; i < 99; i++) expect((await once(3407)).tokens).toEqual(first.tokens);
    expect((await once(3408)).tokens).not.toEqual(first.tokens);
    expect(first.seed).toBe(3407);
  });

  it("gives the same ids under load as alone, where the model is deterministic, whatever ran before or is given up beside it", async () => {
    const exact = await loadTiny({ sequences: 16, contextSize: 16 * 1024, deterministic: true });
    const ask = (i: number): Generation =>
      exact.complete(`What is ${i}+${i * 3}? ${"Think. ".repeat(i)}`, {
        seed: 40 + i,
        maxTokens: 50,
        ignoreEos: true,
      });
    const alone: Int32Array[] = [];
    for (let i = 0; i < 12; i++) alone.push((await ask(i).result()).tokens);
    for (let round = 0; round < 3; round++) {
      const noise = Array.from({ length: 8 }, (_, i) =>
        exact.complete("noise ".repeat(20 * i), { seed: i, maxTokens: 30 + i }),
      );
      const runs = alone.map((_, i) => ask(i));
      setTimeout(() => noise[round]?.cancel(), 5 * round);
      for (const [i, run] of runs.entries()) expect((await run.result()).tokens).toEqual(alone[i]);
      await Promise.all(noise.map((run) => run.result()));
    }
    await exact.close();
  });

  it("that was chosen at random and told gives the same ids again", async () => {
    const options = { temperature: 1.5, minP: 0, maxTokens: 40 };
    const first = await model.complete(RAW, options).result();
    expect((await model.complete(RAW, { ...options, seed: first.seed }).result()).tokens).toEqual(
      first.tokens,
    );
  });
});

describe("usage and timings", () => {
  it("count what came", async () => {
    const fresh = await loadTiny();
    const { usage, timings, tokens } = await fresh.complete(RAW, GREEDY).result();
    await fresh.close();
    expect(usage).toMatchObject({
      promptTokens: 10,
      cachedTokens: 0,
      completionTokens: tokens.length,
    });
    // <think>, the reasoning and </think>.
    expect(usage.reasoningTokens).toBe([...tokens].indexOf(model.tokenizer.endThink) + 1);
    for (const value of [
      timings.firstTokenMs,
      timings.promptMs,
      timings.decodeMs,
      timings.promptTokensPerSecond,
      timings.tokensPerSecond,
    ])
      expect(value).toBeGreaterThan(0);
    expect(timings.firstTokenMs).toBeGreaterThanOrEqual(timings.promptMs * 0.9);
  });
});
