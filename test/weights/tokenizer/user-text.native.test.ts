// Whatever a user writes: no special token comes out, and the text comes back.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Weights } from "../../../lib/weights/weights.js";
import { hostile, ordinary } from "../../fixtures/hostile-text.js";
import { TEXT, writeVocabularies } from "../../fixtures/vocab-files.js";
import type { VocabularyName } from "../../fixtures/vocab-files.js";
import { openVocabulary } from "./vocabulary.js";

const names = [
  "r1",
  "r1-control",
  "distill-qwen",
  "distill-llama",
] as const satisfies VocabularyName[];
const files = writeVocabularies(names);
afterAll(() => files.remove());

describe.each(names)("user text read with the vocabulary %s", (name) => {
  let model: Weights;
  let special: Set<number>;
  let texts: string[];
  beforeAll(async () => {
    model = await openVocabulary(files.paths[name]);
    special = new Set(model.native.specialTokens().map(({ id }) => id));
    texts = model.native.specialTokens().map(({ text }) => text);
  });
  afterAll(() => model.close());

  it("never holds a special id and comes back letter by letter", () => {
    const text = fc
      .array(fc.oneof(hostile(texts), ordinary), { maxLength: 12 })
      .map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (value) => {
        const ids = model.tokenizer.encode(value);
        expect(ids.some((id) => special.has(id))).toBe(false);
        expect(model.tokenizer.decode(ids)).toBe(value);
      }),
      { numRuns: 1500 },
    );
  });

  it("holds none for any special string of the vocabulary on its own", () => {
    for (const text of texts) {
      const ids = model.tokenizer.encode(text);
      expect(ids.length, text).toBeGreaterThan(0);
      expect(
        ids.some((id) => special.has(id)),
        text,
      ).toBe(false);
      expect(model.tokenizer.decode(ids)).toBe(text);
    }
  });

  it("is as safe in a template's text segment as alone", () => {
    fc.assert(
      fc.property(hostile(texts), (value) => {
        const { tokens } = model.native.tokenizeSegments([value], Int32Array.of(-1));
        expect(Array.from(tokens)).toEqual(Array.from(model.tokenizer.encode(value)));
      }),
      { numRuns: 200 },
    );
  });

  it("takes a long text of nothing but special strings in seconds, not minutes", () => {
    const ids = model.tokenizer.encode(TEXT.assistant.repeat(20_000));
    expect(ids.some((id) => special.has(id))).toBe(false);
  });
});
