// Speculation on the real addon: by n-grams and by a draft model, never another greedy output.
import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL_PATH } from "../../lib/model/default-model.js";
import { ENDLESS, GREEDY, loadTiny, patchedTiny, withFolder } from "../fixtures/tiny.js";

const QUESTIONS = ["What is 12+34?", "How many r are in strawberry?", "What is 7*8?", "Hello!", "Write a Python function that adds two numbers."];

describe("speculation", () => {
  it("by n-grams gives the same greedy ids, and tells what it drafted", async () => {
    const model = await loadTiny();
    let accepted = 0;
    for (const content of QUESTIONS) {
      const plain = await model.chat([{ role: "user", content }], GREEDY).result();
      const guessed = await model.chat([{ role: "user", content }], { ...GREEDY, speculation: { ngram: 8 } }).result();
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
      const plain = await model.chat([{ role: "user", content }], { ...GREEDY, speculation: false }).result();
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
  ] as const)("%s in six sequences at once gives each of 60 prompts the greedy ids it has alone", { timeout: 60_000 }, async (_, options, speculation) => {
    const prompts = Array.from({ length: 60 }, (__, i) => `${QUESTIONS[i % QUESTIONS.length] as string} ${"Say it twice. ".repeat(i % 4)}${i * 7}-${i}=`);
    const alone = await loadTiny();
    const expected: Int32Array[] = [];
    for (const prompt of prompts) expected.push((await alone.complete(prompt, { ...GREEDY, maxTokens: 60 }).result()).tokens);
    await alone.close();
    // One decode a sequence, so that the shape of what runs beside cannot change a last bit: what is left is what guessing does.
    const model = await loadTiny({ sequences: 6, contextSize: 6 * 1024, deterministic: true, ...options });
    const results = await Promise.all(prompts.map((prompt) => model.complete(prompt, { ...GREEDY, maxTokens: 60, speculation }).result()));
    for (const [i, result] of results.entries()) expect(result.tokens, prompts[i]).toEqual(expected[i]);
    expect(results.reduce((sum, { timings }) => sum + timings.acceptedTokens, 0)).toBeGreaterThan(100);
    for (const { timings } of results) expect(timings.acceptedTokens).toBeLessThanOrEqual(timings.draftedTokens);
    expect(model.stats().draftedTokens).toBe(results.reduce((sum, { timings }) => sum + timings.draftedTokens, 0));
    await model.close();
  });

  it("that does not pay switches itself off", async () => {
    const model = await loadTiny({ draftModel: DEFAULT_MODEL_PATH });
    // Every token as likely as any other: what is guessed never comes.
    const result = await model
      .complete("x", { ...ENDLESS, temperature: 100, topK: 0, topP: 1, minP: 0, seed: 3, maxTokens: 400, speculation: { draft: 7 } })
      .result();
    expect(result.timings.draftedTokens).toBeLessThan(150);
    await model.close();
  });

  it("with a file that is no model, or of another vocabulary, is refused and nothing stays loaded", () =>
    withFolder(async (folder) => {
      await expect(loadTiny({ draftModel: "/nowhere.gguf" })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
      const other = patchedTiny(folder, "</think>", "</thonk>");
      await expect(loadTiny({ draftModel: other })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }));
});
