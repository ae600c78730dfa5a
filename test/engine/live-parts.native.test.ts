// Parts that come only when asked for: log probabilities in deltas, and how far a prompt is.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Part, PromptProgressPart, TokenLogprob } from "../../lib/base/types.js";
import type { Model } from "../../lib/model/model.js";
import { GREEDY, collect, loadTiny, sleep } from "../fixtures/tiny.js";

const QUESTION = [{ role: "user", content: "What is 12+30?" }] as const;

let model: Model;
beforeAll(async () => void (model = await loadTiny({ contextSize: 8192, ubatchSize: 64 })));
afterAll(() => model.close());

const logprobsOf = (parts: readonly Part[]): TokenLogprob[] =>
  parts.flatMap((part) =>
    part.type === "reasoning-delta" || part.type === "answer-delta" ? (part.logprobs ?? []) : [],
  );
const progressOf = (parts: readonly Part[]): PromptProgressPart[] =>
  parts.filter((part) => part.type === "prompt-progress");

describe("log probabilities in parts", () => {
  it("stand one for each token of a delta, and are those of the result", async () => {
    const run = model.chat(QUESTION, { ...GREEDY, topLogprobs: 2 });
    const parts = await collect(run);
    const { logprobs = [], tokens } = await run.result();
    for (const part of parts)
      if (part.type === "reasoning-delta" || part.type === "answer-delta")
        expect(part.logprobs?.map(({ token }) => token)).toEqual(part.tokens);
    const streamed = logprobsOf(parts);
    expect(streamed.length).toBeGreaterThan(10);
    // All but the tags and the end.
    const { think, endThink, eos } = model.tokenizer;
    const spoken = logprobs.filter(({ token }) => ![think, endThink, eos].includes(token));
    expect(tokens.length - spoken.length).toBeLessThanOrEqual(4);
    expect(streamed).toEqual(spoken.slice(0, streamed.length));
    for (const { top } of streamed) expect(top).toHaveLength(2);
  });

  it("are put together for a reader that lags, none lost", async () => {
    const quick = await collect(model.chat(QUESTION, { ...GREEDY, logprobs: true }));
    const run = model.chat(QUESTION, { ...GREEDY, logprobs: true });
    await run.result();
    const slow = await collect(run);
    for (const type of ["reasoning-delta", "answer-delta"] as const)
      expect(slow.filter((part) => part.type === type)).toHaveLength(1);
    expect(logprobsOf(slow)).toEqual(logprobsOf(quick));
  });

  it("are not there when nobody asked", async () => {
    for (const part of await collect(model.chat(QUESTION, GREEDY)))
      expect(part).not.toHaveProperty("logprobs");
  });
});

describe("prompt progress", () => {
  const long = `<｜User｜>${"What is 1+1? ".repeat(250)}<｜Assistant｜>`;

  it("begins with the cached tokens, only grows, ends with all, and comes before any token", async () => {
    const run = model.complete(long, { ...GREEDY, maxTokens: 4, promptProgress: true });
    const parts = await collect(run);
    const { usage } = await run.result();
    const steps = progressOf(parts);
    expect(parts.slice(0, steps.length)).toEqual(steps);
    expect(steps.at(-1)).toMatchObject({
      total: usage.promptTokens,
      cached: usage.cachedTokens,
      processed: usage.promptTokens,
    });
    for (const [i, { processed, timeMs }] of steps.entries()) {
      expect(processed).toBeGreaterThanOrEqual(steps[i - 1]?.processed ?? 0);
      expect(timeMs).toBeGreaterThanOrEqual(steps[i - 1]?.timeMs ?? 0);
    }
  });

  it("tells at once what is cached already", async () => {
    await model.complete(long, { ...GREEDY, maxTokens: 1 }).result();
    const run = model.complete(long, { ...GREEDY, maxTokens: 1, promptProgress: true });
    const [first] = progressOf(await collect(run));
    const { usage } = await run.result();
    expect(usage.cachedTokens).toBeGreaterThan(1000);
    expect(first?.cached).toBe(usage.cachedTokens);
  });

  it("leaves one part, the latest, to a reader that lags, and none to who did not ask", async () => {
    const run = model.complete(`${long}x`, {
      maxTokens: 4,
      cachePrompt: false,
      promptProgress: true,
    });
    await run.result();
    await sleep(1);
    const parts = await collect(run);
    const [only, ...others] = progressOf(parts);
    expect(others).toEqual([]);
    expect(only?.processed).toBe(only?.total);
    expect(progressOf(await collect(model.complete(long, { maxTokens: 1 })))).toEqual([]);
  });
});

it("an isolated model has the same parts", async () => {
  await using isolated = await loadTiny({ isolation: "process", contextSize: 8192 });
  const ask = { ...GREEDY, topLogprobs: 1, promptProgress: true };
  const [here, there] = await Promise.all(
    [model, isolated].map((each) => collect(each.chat(QUESTION, ask))),
  );
  expect(progressOf(there ?? []).at(-1)).toMatchObject({ cached: 0 });
  expect(progressOf(there ?? []).at(-1)?.total).toBe(progressOf(here ?? []).at(-1)?.total);
  const tokens = (parts: readonly Part[]): number[] => logprobsOf(parts).map(({ token }) => token);
  expect(tokens(there ?? [])).toEqual(tokens(here ?? []));
  expect(logprobsOf(there ?? []).every(({ top }) => top.length === 1)).toBe(true);
});
