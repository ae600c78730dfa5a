// Claims about the segmenter in vocabularies without tag tokens, where tags are told by their text.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check, word, type Event } from "../fixtures/reasoning-stream.js";

describe("a stream told by text, in a vocabulary without tag tokens", () => {
  const BY_TEXT = { think: -1, endThink: -1, startsInReasoning: false } as const;
  const cases: [text: string, reasoning: string, answer: string][] = [
    ["<think>\nWell.\n</think>\n\nYes", "Well.", "Yes"],
    ["\n<think>a</think>b</think>", "a", "b</think>"],
    ["no <think>x</think>", "", "no <think>x</think>"],
    ["<think>a <b> </thin k></think><", "a <b> </thin k>", "<"],
    ["<thin", "", "<thin"],
    ["<think>a</thi", "a</thi", ""],
    ["<think><think></think></think>", "<think>", "</think>"],
  ];

  it.each(cases)("splits %j at every place alike", (text, reasoning, answer) => {
    for (let i = 0; i <= text.length; i++) {
      for (let j = i; j <= text.length; j++) {
        const events = [text.slice(0, i), text.slice(i, j), text.slice(j)].map((piece): Event => [
          1,
          piece,
        ]);
        expect(check(BY_TEXT, events)).toMatchObject({ reasoning, answer });
      }
    }
    expect(
      check(
        BY_TEXT,
        [...text].map((character): Event => [1, character]),
      ),
    ).toMatchObject({ reasoning, answer });
  });

  it("gives the same texts for any cut of any text", () => {
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 20 }),
        fc.array(fc.nat(8), { maxLength: 40 }),
        fc.boolean(),
        (words, cuts, startsInReasoning) => {
          const text = words.join("");
          const init = { ...BY_TEXT, startsInReasoning };
          const whole = check(init, [[1, text]]);
          const pieces: Event[] = [];
          let at = 0;
          for (const cut of cuts) {
            pieces.push([1, text.slice(at, at + cut)]);
            at += cut;
          }
          const { reasoning, answer } = check(init, [...pieces, [1, text.slice(at)]]);
          expect({ reasoning, answer }).toEqual({
            reasoning: whole.reasoning,
            answer: whole.answer,
          });
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("counts the tokens of the tags and what is between", () => {
    const events: Event[] = ["<", "think", ">", "a", "</", "think", ">", "b"].map(
      (text, i): Event => [i, text],
    );
    expect(check(BY_TEXT, events)).toMatchObject({ reasoning: "a", answer: "b", count: 7 });
  });
});
