// Claims about tool calls whose tags are tokens of the vocabulary: only tokens open and close them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Segmenter } from "../../lib/reasoning/segmenter.js";
import { ToolReader } from "../../lib/reasoning/tool-reader.js";
import { call, calls, read, T, TOOLS } from "../fixtures/tool-calls.js";

describe("tags that the vocabulary has tokens for", () => {
  const IDS = {
    toolCallsBegin: 101,
    toolCallsEnd: 102,
    toolCallBegin: 103,
    toolCallEnd: 104,
    toolSep: 105,
  } as const;
  const names = Object.keys(IDS) as (keyof typeof IDS)[];
  type Word = string | { readonly tag: keyof typeof IDS };
  const spell = (word: Word): string => (typeof word === "string" ? word : T[word.tag]);

  interface Told {
    answer: string;
    calls: unknown[];
    errors: string[];
  }

  /** Reads a stream of events whose tags are tokens. */
  function readEvents(
    events: readonly (readonly [token: number, text: string])[],
    init: { startsInReasoning: boolean },
  ): Told & { reasoning: string } {
    const segmenter = new Segmenter({
      think: 1,
      endThink: 2,
      ...init,
      reader: new ToolReader(TOOLS, T, IDS),
    });
    const parts = [
      ...events.flatMap(([token, text]) => segmenter.push(token, text)),
      ...segmenter.end(),
    ];
    return {
      reasoning: segmenter.reasoning,
      answer: segmenter.answer,
      calls: segmenter.toolCalls.map(({ name, arguments: args }) => ({ name, args })),
      errors: parts.flatMap((part) => (part.type === "tool-call-error" ? [part.text] : [])),
    };
  }
  const eventsOf = (words: readonly Word[]): [number, string][] =>
    words.map((word) => (typeof word === "string" ? [9, word] : [IDS[word.tag], T[word.tag]]));
  const callOf = (name: string, json: string): Word[] => [
    { tag: "toolCallBegin" },
    "function",
    { tag: "toolSep" },
    `${name}\n`,
    `\`\`\`json\n${json}\n\`\`\``,
    { tag: "toolCallEnd" },
  ];
  const word: fc.Arbitrary<Word> = fc.oneof(
    fc.constantFrom<Word>("Z", "\n", "<", "｜tool", "ping", "{}", "```", "</thin"),
    fc.constantFrom(...names).map((tag): Word => ({ tag })),
  );
  const words = fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: word.map((one) => [one]) },
        { weight: 2, arbitrary: fc.constantFrom(callOf("ping", "{}"), callOf("nope", "{}")) },
      ),
      { maxLength: 8 },
    )
    .map((lists) => lists.flat());

  it("are told by their tokens: letters spelt by others are text, in the answer and in arguments", () => {
    const spelt = calls(call("ping", "{}"));
    expect(readEvents([[9, spelt]], { startsInReasoning: false })).toEqual({
      reasoning: "",
      answer: spelt,
      calls: [],
      errors: [],
    });
    const inside = callOf("get_weather", JSON.stringify({ city: spelt }));
    expect(
      readEvents(eventsOf([{ tag: "toolCallsBegin" }, ...inside, { tag: "toolCallsEnd" }]), {
        startsInReasoning: false,
      }),
    ).toMatchObject({
      answer: "",
      calls: [{ name: "get_weather", args: { city: spelt } }],
      errors: [],
    });
  });

  it("may be cut by a stop string that ends in them: what is there of one is no text between calls", () => {
    const whole = eventsOf([
      { tag: "toolCallsBegin" },
      ...callOf("ping", "{}"),
      "\n",
      ...callOf("ping", "{}"),
      { tag: "toolCallsEnd" },
    ]);
    const text = whole.map(([, each]) => each).join("");
    for (let left = text.indexOf(T.toolCallEnd); left < text.length; left++) {
      // The engine gives the tokens up to the one in which the stop string begins and ends, with
      // the text before it.
      let room = left;
      const cut = whole.flatMap(([token, each]): [number, string][] => {
        const kept = room < 0 ? undefined : each.slice(0, room);
        room = kept === each ? room - each.length : -1;
        return kept === undefined ? [] : [[token, kept]];
      });
      const { answer, calls: made, errors } = readEvents(cut, { startsInReasoning: false });
      expect(
        [answer, errors.filter((error) => error.startsWith("<｜tool▁calls"))],
        `${left}`,
      ).toEqual(["", []]);
      expect([made.length, errors.length], `${left}`).toEqual(
        left < text.lastIndexOf(T.toolCallEnd) ? [1, expect.any(Number)] : [2, 0],
      );
      if (left >= text.length - T.toolCallsEnd.length)
        expect(read([text.slice(0, left)]).outcome, `${left}`).toMatchObject({
          calls: [{}, {}],
          errors: [],
        });
    }
  });

  it("are text in the reasoning, and calls right after it", () => {
    const events = eventsOf(["hm", { tag: "toolCallsBegin" }, ...callOf("ping", "{}")]);
    expect(readEvents(events, { startsInReasoning: true })).toMatchObject({
      reasoning: events.map(([, text]) => text).join(""),
      answer: "",
      calls: [],
    });
    expect(
      readEvents([[2, "</think>"], [9, "\n\n"], ...eventsOf(callOf("ping", "{}"))], {
        startsInReasoning: true,
      }),
    ).toMatchObject({
      reasoning: "",
      answer: "",
      calls: [{ name: "ping", args: {} }],
    });
    expect(
      readEvents([[9, " \n"], ...eventsOf(callOf("ping", "{}"))], { startsInReasoning: false }),
    ).toMatchObject({
      answer: " \n",
      calls: [{ name: "ping" }],
    });
  });

  it("give what tags told by text give where nothing only looks like one, also when text comes later than its token", () => {
    fc.assert(
      fc.property(words, fc.array(fc.boolean(), { maxLength: 40 }), (list, holds) => {
        const byText = read([list.map(spell).join("")]).outcome;
        const expected = {
          reasoning: "",
          answer: byText.answer,
          errors: byText.errors,
          calls: byText.calls.map(({ name, arguments: args }) => ({ name, args })),
        };
        const events = eventsOf(list);
        expect(readEvents(events, { startsInReasoning: false })).toEqual(expected);
        // The engine holds text that could begin a stop string, and gives it out with a later
        // token.
        let held = "";
        const late = events.map(([token, text], i): [number, string] => {
          const all = held + text;
          const kept = i < events.length - 1 && holds[i] === true ? text.length : 0;
          held = all.slice(all.length - kept);
          return [token, all.slice(0, all.length - kept)];
        });
        expect(readEvents(late, { startsInReasoning: false })).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("are no tags where only their letters stand, in any stream", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            word,
            fc.constantFrom(...names).map((tag) => ({ looks: tag })),
          ),
          { maxLength: 14 },
        ),
        (list) => {
          // A stand-in that is no tag's letters must come to the same.
          const standIn = (tag: string): string => `<§${names.indexOf(tag as keyof typeof IDS)}§>`;
          const restore = (text: string): string =>
            text.replace(/<§(\d)§>/g, (_, i: string) => T[names[Number(i)] as keyof typeof IDS]);
          const events = (write: (tag: keyof typeof IDS) => string): [number, string][] =>
            list.flatMap((one): [number, string][] =>
              typeof one === "object" && "looks" in one
                ? [...write(one.looks)].map((c): [number, string] => [9, c])
                : eventsOf([one]),
            );
          const other = readEvents(events(standIn), { startsInReasoning: false });
          expect(
            readEvents(
              events((tag) => T[tag]),
              { startsInReasoning: false },
            ),
          ).toEqual({ ...other, answer: restore(other.answer), errors: other.errors.map(restore) });
        },
      ),
      { numRuns: 1000 },
    );
  });
});
