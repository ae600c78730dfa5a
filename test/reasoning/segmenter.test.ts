// Claims about the segmenter: what is reasoning, what is answer, and that no way of cutting the
// stream changes it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Segmenter, type SegmenterInit } from "../../lib/reasoning/segmenter.js";
import { endsInReasoning, partialTagLength, trailingLineBreaks } from "../../lib/reasoning/tags.js";
import { check, run, word, type Event } from "../fixtures/reasoning-stream.js";

const THINK = 5;
const END = 6;
const BY_ID = { think: THINK, endThink: END, startsInReasoning: false } as const;

/** The segmenter's rules, said once more over whole tokens. */
function expected(
  init: SegmenterInit,
  events: readonly Event[],
): { reasoning: string; answer: string; count: number } {
  let rest = [...events];
  let reasoning = "";
  let count = 0;
  let after = false;
  let inside = init.startsInReasoning;
  if (!inside) {
    const at = rest.findIndex(([token]) => token === THINK);
    const isOpening = at >= 0 && rest.slice(0, at).every(([, text]) => text.trim() === "");
    if (isOpening) {
      rest = rest.slice(at + 1);
      count = 1;
      inside = true;
    }
  }
  if (inside) {
    const at = rest.findIndex(([token]) => token === END);
    const block = at < 0 ? rest : rest.slice(0, at);
    reasoning = block
      .map(([, text]) => text)
      .join("")
      .replace(/^[\r\n]+/, "");
    if (at >= 0) reasoning = reasoning.replace(/[\r\n]+$/, "");
    count += block.length + (at < 0 ? 0 : 1);
    after = at >= 0;
    rest = at < 0 ? [] : rest.slice(at + 1);
  }
  const answer = rest.map(([, text]) => text).join("");
  return { reasoning, answer: after ? answer.replace(/^[\r\n]+/, "") : answer, count };
}

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: word.map((text): Event => [100, text]) },
  { weight: 1, arbitrary: fc.constant<Event>([THINK, "<think>"]) },
  { weight: 1, arbitrary: fc.constant<Event>([END, "</think>"]) },
);

describe("a stream told by token id", () => {
  it("splits R1's own form and leaves out the line breaks next to the tags", () => {
    const events: Event[] = [
      [THINK, "<think>"],
      [10, "\n"],
      [11, "One plus"],
      [12, " one.\n"],
      [END, "</think>"],
      [13, "\n\n"],
      [14, "2"],
    ];
    expect(check(BY_ID, events)).toMatchObject({
      reasoning: "One plus one.",
      answer: "2",
      count: 5,
    });
    expect(run(BY_ID, events).parts).toEqual([
      { type: "reasoning-start" },
      { type: "reasoning-delta", text: "One plus", tokens: [10, 11] },
      { type: "reasoning-delta", text: " one.", tokens: [12] },
      { type: "reasoning-end" },
      { type: "answer-start" },
      { type: "answer-delta", text: "2", tokens: [13, 14] },
      { type: "answer-end" },
    ]);
  });

  it("starts in the reasoning when the prompt opened it", () => {
    const events: Event[] = [
      [11, "Hm"],
      [END, "</think>"],
      [14, "\n2"],
    ];
    expect(check({ ...BY_ID, startsInReasoning: true }, events)).toMatchObject({
      reasoning: "Hm",
      answer: "2",
      count: 2,
    });
  });

  it("calls everything answer, line breaks and all, when no tag comes", () => {
    expect(
      check(BY_ID, [
        [1, "\n"],
        [2, "\nAll "],
        [3, "answer\n"],
      ]),
    ).toMatchObject({ reasoning: "", answer: "\n\nAll answer\n", count: 0 });
  });

  it("leaves out leading line breaks after a prompt that skipped the thought", () => {
    expect(
      check({ ...BY_ID, startsAfterReasoning: true }, [
        [1, "\n\n"],
        [2, "Two.\n"],
      ]),
    ).toMatchObject({ answer: "Two.\n", count: 0 });
  });

  it("keeps text that only looks like a tag", () => {
    const events: Event[] = [
      [THINK, "<think>"],
      [9, "say </think> aloud"],
      [END, "</think>"],
      [9, "<think>no</think>"],
    ];
    expect(check(BY_ID, events)).toMatchObject({
      reasoning: "say </think> aloud",
      answer: "<think>no</think>",
    });
  });

  it("writes tags that open or close nothing as text", () => {
    const events: Event[] = [
      [THINK, "<think>"],
      [9, "a"],
      [THINK, "<think>"],
      [9, "b"],
      [END, "</think>"],
      [9, "c"],
      [END, "</think>"],
      [THINK, "<think>"],
      [9, "d"],
    ];
    expect(check(BY_ID, events)).toMatchObject({
      reasoning: "a<think>b",
      answer: "c</think><think>d",
      count: 5,
    });
    expect(
      check(BY_ID, [
        [9, "text first"],
        [THINK, "<think>"],
        [9, "x"],
        [END, "</think>"],
        [9, "y"],
      ]),
    ).toMatchObject({
      reasoning: "",
      answer: "text first<think>x</think>y",
      count: 0,
    });
  });

  it("keeps the line breaks of a reasoning that never closed, and closes its block", () => {
    expect(
      check(BY_ID, [
        [THINK, "<think>"],
        [9, "so\n\n"],
      ]),
    ).toMatchObject({
      reasoning: "so\n\n",
      answer: "",
      kinds: ["reasoning-start", "reasoning-delta", "reasoning-end"],
    });
  });

  it("reports an empty reasoning", () => {
    expect(
      check(BY_ID, [
        [THINK, "<think>"],
        [9, "\n\n"],
        [END, "</think>"],
        [9, "\n\nHi"],
      ]),
    ).toMatchObject({ reasoning: "", answer: "Hi", count: 3 });
  });

  it("agrees with its rules on any stream, in either state", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 24 }), fc.boolean(), (events, startsInReasoning) => {
        const init = { ...BY_ID, startsInReasoning };
        expect(check(init, events)).toMatchObject(expected(init, events));
      }),
      { numRuns: 2000 },
    );
  });

  it("gives the same texts when the engine holds text back for stop strings", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(event, fc.nat(6)), { maxLength: 24 }),
        fc.boolean(),
        (items, startsInReasoning) => {
          // Spelt-out tags beside late real ones cannot be told apart; real streams hold back less
          // than a tag.
          const events = items.map(([[token, text]]): Event =>
            token === 100 && text.includes("think>") ? [token, "th"] : [token, text],
          );
          let held = "";
          const late = events.map(([token, text], i): Event => {
            held += text;
            const characters = [...held];
            const give =
              i === events.length - 1
                ? characters.length
                : Math.max(0, characters.length - (items[i]?.[1] ?? 0));
            held = characters.slice(give).join("");
            return [token, characters.slice(0, give).join("")];
          });
          const init = { ...BY_ID, startsInReasoning };
          const { reasoning, answer } = expected(init, events);
          expect(check(init, late)).toMatchObject({ reasoning, answer });
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("keeps what came before a stop string that cut a tag off", () => {
    expect(
      check(BY_ID, [
        [THINK, "<think>"],
        [9, "abc"],
        [END, ""],
      ]),
    ).toMatchObject({ reasoning: "abc", answer: "" });
  });

  it("goes on when an engine writes no text for tags", () => {
    const long = "x".repeat(2000);
    expect(
      check(BY_ID, [
        [THINK, ""],
        [9, long],
        [END, ""],
        [9, long],
      ]),
    ).toMatchObject({ answer: long });
  });
});

describe("tags", () => {
  it("tells by the last tag whether a prompt ends in the reasoning", () => {
    expect(endsInReasoning(Int32Array.of(0, 3, THINK, 9), THINK, END)).toBe(true);
    expect(endsInReasoning(Int32Array.of(0, THINK, END, 9), THINK, END)).toBe(false);
    expect(endsInReasoning(Int32Array.of(0, 9), THINK, END)).toBe(false);
    expect(endsInReasoning(Int32Array.of(0, -1), -1, -1)).toBe(false);
  });

  it("finds the longest end that could begin a tag", () => {
    expect(partialTagLength("a</thi", "</think>")).toBe(5);
    expect(partialTagLength("</think>", "</think>")).toBe(0);
    expect(partialTagLength("<</", "</think>")).toBe(2);
    expect(trailingLineBreaks("a\r\n\n")).toBe(3);
  });
});

describe("the cost of the segmenter", () => {
  it("grows with the length of the stream, not with its square", () => {
    const time = (count: number): number => {
      const segmenter = new Segmenter({ think: -1, endThink: -1, startsInReasoning: true });
      const start = performance.now();
      for (let i = 0; i < count; i++) segmenter.push(9, i % 3 === 0 ? "\n" : "abc <");
      segmenter.end();
      return performance.now() - start;
    };
    time(10_000);
    expect(time(400_000)).toBeLessThan(40 * 10 * Math.max(time(10_000), 2));
  });
});
