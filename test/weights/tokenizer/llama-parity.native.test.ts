// Text without any special string gets exactly the ids that llama.cpp's own program gives it.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Weights } from "../../../lib/weights/weights.js";
import { TABLE, TEXT, writeVocabularies } from "../../fixtures/vocab-files.js";
import type { VocabularyName } from "../../fixtures/vocab-files.js";
import { openVocabulary, upstreamIds } from "./vocabulary.js";

const names = [
  "r1",
  "r1-control",
  "distill-qwen",
  "distill-llama",
] as const satisfies VocabularyName[];
const files = writeVocabularies(names);
afterAll(() => files.remove());

const passage = `The well-known test: create a game in Python with pygame. 我想在apple工作1314151天～ 한국어와 日本語、ไทย, العربية и кириллица!
def f(x):\n\treturn [i**2 for i in range(x)]  # 12345678 3.14159 0x1F\r\n\r\n   trailing spaces   \n\n\n'll 'RE I'Ve don't "quoted" — dash… 🚀👩‍👩‍👧‍👦🇩🇪 e\u0301 \u00a0 \u200d ﬁ Ⅻ ½ <b>not special</b> <thin k> < think> <|half`;

/**
 * Text of every kind, some of it no valid word in any language; a piece of the passage keeps the
 * pre-tokenizer's rules busy.
 */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.string({ unit: "grapheme-ascii", maxLength: 60 }),
      fc.tuple(fc.nat(passage.length), fc.nat(60)).map(([at, n]) =>
        Array.from(passage)
          .slice(at, at + n)
          .join(""),
      ),
      fc.constantFrom(" ", "  ", "\n", "\r\n", "\t", "\n \n", "0", "12", "123", "1234"),
    ),
    { minLength: 1, maxLength: 30 },
  )
  .map((pieces) => pieces.join(""));

describe.each(names)("the vocabulary %s", (name) => {
  let model: Weights;
  let special: string[];
  beforeAll(async () => {
    model = await openVocabulary(files.paths[name]);
    special = model.native.specialTokens().map((token) => token.text);
  });
  afterAll(() => model.close());

  it("reads a passage of many scripts as llama.cpp does, safely and otherwise", () => {
    const expected = upstreamIds(files.paths[name], passage, false);
    expect(Array.from(model.tokenizer.encode(passage))).toEqual(expected);
    expect(Array.from(model.tokenizer.encode(passage, { special: true }))).toEqual(expected);
    expect(model.tokenizer.decode(Int32Array.from(expected))).toBe(passage);
  });

  // One start of llama.cpp's program reads many texts: a special token between them keeps each
  // apart from the next.
  it("reads random Unicode as llama.cpp does", () => {
    const { eos } = TABLE[name];
    const harmless = text.filter((value) => !special.some((s) => value.includes(s)));
    fc.assert(
      fc.property(fc.array(harmless, { minLength: 100, maxLength: 150 }), (values) => {
        const expected: number[][] = [[]];
        for (const id of upstreamIds(files.paths[name], values.join(TEXT.eos), true)) {
          if (id === eos) expected.push([]);
          else expected.at(-1)?.push(id);
        }
        expect(expected.length).toBe(values.length);
        for (const [i, value] of values.entries())
          expect(Array.from(model.tokenizer.encode(value)), value).toEqual(expected[i]);
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });

  it("reads special strings as llama.cpp does where the caller asks for it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...special), text), { minLength: 50, maxLength: 150 }),
        (pieces) => {
          const value = pieces.join("");
          expect(Array.from(model.tokenizer.encode(value, { special: true }))).toEqual(
            upstreamIds(files.paths[name], value, true),
          );
        },
      ),
      { numRuns: 3, endOnFailure: true },
    );
  });
});
