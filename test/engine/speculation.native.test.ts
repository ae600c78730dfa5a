// Speculation on the real addon: by n-grams and by a draft model, never another greedy output.
import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import type { Generation } from "../../lib/engine/generation.js";
import { ENDLESS, GREEDY, loadTiny, patchedTiny, withFolder } from "../fixtures/tiny.js";

const QUESTIONS = [
  "What is 12+34?",
  "How many r are in strawberry?",
  "What is 7*8?",
  "Hello!",
  "Write a Python function that adds two numbers.",
];

describe("speculation", () => {
  it("by n-grams gives the same greedy ids, and tells what it drafted", async () => {
    // Where no clock decides whether a guess is made.
    const model = await loadTiny({ deterministic: true });
    let accepted = 0;
    const round = { ...GREEDY, ...ENDLESS, maxTokens: 100 };
    const texts = QUESTIONS.map(
      (content) => (more: object) =>
        model.chat([{ role: "user", content }], { ...GREEDY, ...more }).result(),
    );
    for (const ask of [
      ...texts,
      (more: object) =>
        model.complete(`<think>${"so ".repeat(12)}`, { ...round, ...more }).result(),
    ]) {
      const plain = await ask({});
      const guessed = await ask({ speculation: { ngram: 8 } });
      expect(guessed.tokens).toEqual(plain.tokens);
      expect(plain.timings.draftedTokens).toBe(0);
      expect(guessed.timings.acceptedTokens).toBeLessThanOrEqual(guessed.timings.draftedTokens);
      accepted += guessed.timings.acceptedTokens;
    }
    expect(accepted).toBeGreaterThan(0);
    await model.close();
  });

  it("by a draft model is on by itself, gives the same greedy ids, and closes with its model", async () => {
    const model = await loadTiny({ draftModel: DEFAULT_MODEL_PATH });
    for (const content of QUESTIONS) {
      const plain = await model
        .chat([{ role: "user", content }], { ...GREEDY, speculation: false })
        .result();
      const guessed = await model.chat([{ role: "user", content }], GREEDY).result();
      expect(guessed.tokens).toEqual(plain.tokens);
      // The same model guesses what it says itself.
      expect(guessed.timings.acceptedTokens).toBeGreaterThan(0);
    }
    await model.close();
  });

  it.each([
    ["by n-grams", {}, { ngram: 8 }],
    ["by a draft model", { draftModel: DEFAULT_MODEL_PATH }, { draft: 5 }],
  ] as const)(
    "%s in six sequences at once gives each of 60 prompts the greedy ids it has alone",
    async (_, options, speculation) => {
      const prompts = Array.from({ length: 60 }, (__, i) =>
        i % 3 === 0
          ? `<think>${"so ".repeat(6 + i / 3)}`
          : `${QUESTIONS[i % QUESTIONS.length] as string} ${"Say it twice. ".repeat(i % 4)}${i * 7}-${i}=`,
      );
      const alone = await loadTiny();
      const expected: Int32Array[] = [];
      for (const prompt of prompts)
        expected.push((await alone.complete(prompt, { ...GREEDY, maxTokens: 60 }).result()).tokens);
      await alone.close();
      // One decode a sequence, so that the shape of what runs beside cannot change a last bit: what
      // is left is what guessing does.
      const model = await loadTiny({
        sequences: 6,
        contextSize: 6 * 1024,
        deterministic: true,
        ...options,
      });
      const results = await Promise.all(
        prompts.map((prompt) =>
          model.complete(prompt, { ...GREEDY, maxTokens: 60, speculation }).result(),
        ),
      );
      for (const [i, result] of results.entries())
        expect(result.tokens, prompts[i]).toEqual(expected[i]);
      expect(results.reduce((sum, { timings }) => sum + timings.acceptedTokens, 0)).toBeGreaterThan(
        100,
      );
      for (const { timings } of results)
        expect(timings.acceptedTokens).toBeLessThanOrEqual(timings.draftedTokens);
      expect(model.stats().draftedTokens).toBe(
        results.reduce((sum, { timings }) => sum + timings.draftedTokens, 0),
      );
      await model.close();
    },
  );

  it("that does not pay switches itself off", async () => {
    const model = await loadTiny({ draftModel: DEFAULT_MODEL_PATH });
    // Every token as likely as any other: what is guessed never comes.
    const result = await model
      .complete("x", {
        ...ENDLESS,
        temperature: 100,
        topK: 0,
        topP: 1,
        minP: 0,
        seed: 3,
        maxTokens: 400,
        speculation: { draft: 7 },
      })
      .result();
    expect(result.timings.draftedTokens).toBeLessThan(150);
    await model.close();
  });

  it("by n-grams costs next to nothing on free text, and saves many steps on text that goes round", async () => {
    // What a guessed token costs on this model, as a share of a step, the change of the batch's
    // shape included (`node scripts/speculation-cost.mjs` measures it as time).
    const price = 0.8;
    const model = await loadTiny({ sequences: 8, contextSize: 16 * 1024 });
    const sum = async (
      runs: Generation[],
    ): Promise<{ tokens: number; drafted: number; accepted: number }> => {
      const all = { tokens: 0, drafted: 0, accepted: 0 };
      for (const { tokens, timings } of await Promise.all(runs.map((run) => run.result()))) {
        all.tokens += tokens.length;
        all.drafted += timings.draftedTokens;
        all.accepted += timings.acceptedTokens;
      }
      return all;
    };
    const speculation = { ngram: 7 };
    const replies = QUESTIONS.flatMap((content) =>
      [0, 1, 2].map((seed) =>
        model.chat([{ role: "user", content }], { seed, maxTokens: 200, speculation }),
      ),
    );
    const wild = [0, 1, 2].map((seed) =>
      model.complete("x", {
        ...ENDLESS,
        temperature: 4,
        topP: 1,
        minP: 0,
        seed,
        maxTokens: 300,
        speculation,
      }),
    );
    for (const { tokens, drafted, accepted } of [await sum(replies), await sum(wild)]) {
      expect(tokens).toBeGreaterThan(800);
      expect((tokens + price * drafted - accepted) / tokens).toBeLessThan(1 / 0.97);
    }
    await model.close();
    const unclocked = await loadTiny({ deterministic: true });
    const rounds = [10, 14, 18].map((n) =>
      unclocked.complete(`<think>${"so ".repeat(n)}`, {
        ...GREEDY,
        ...ENDLESS,
        maxTokens: 200,
        speculation,
      }),
    );
    const { tokens, accepted } = await sum(rounds);
    expect(accepted).toBeGreaterThan(tokens / 3);
    await unclocked.close();
  });

  it("with a file that is no model, or of another vocabulary, is refused and nothing stays loaded", () =>
    withFolder(async (folder) => {
      await expect(loadTiny({ draftModel: "/nowhere.gguf" })).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
      });
      const other = patchedTiny(folder, "</think>", "</thonk>");
      await expect(loadTiny({ draftModel: other })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }));
});
