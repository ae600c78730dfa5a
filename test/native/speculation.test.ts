// Speculation on the real addon: by n-grams and by a draft model, never another greedy output.
import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL_PATH } from "../../lib/model/default-model.js";
import { GREEDY, loadTiny, patchedTiny, withFolder } from "../fixtures/tiny.js";

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

  it("with a file that is no model, or of another vocabulary, is refused and nothing stays loaded", () =>
    withFolder(async (folder) => {
      await expect(loadTiny({ draftModel: "/nowhere.gguf" })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
      const other = patchedTiny(folder, "</think>", "</thonk>");
      await expect(loadTiny({ draftModel: other })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }));
});
