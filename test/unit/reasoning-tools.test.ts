// Claims about tool calls in a stream: parsed and checked, never an exception, the same however the stream is cut.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileSchema } from "../../lib/base/json-schema.js";
import type { ContentPart } from "../../lib/base/types.js";
import { Segmenter } from "../../lib/reasoning/segmenter.js";
import { ToolReader } from "../../lib/reasoning/tool-reader.js";
import { ROLE_TEXTS } from "../../lib/template/segment.js";
import { pythonJson } from "../../lib/template/json-text.js";

const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
  required: ["city"],
  additionalProperties: false,
};
const TOOLS = [
  { name: "get_weather", check: compileSchema(SCHEMA, "tools[0]") },
  { name: "ping", check: compileSchema({ type: "object" }, "tools[1]") },
];
const T = ROLE_TEXTS;

const call = (name: string, json: string): string =>
  `${T.toolCallBegin}function${T.toolSep}${name}\n\`\`\`json\n${json}\n\`\`\`${T.toolCallEnd}`;
const calls = (...texts: string[]): string => T.toolCallsBegin + texts.join("\n") + T.toolCallsEnd;

interface Outcome {
  reasoning: string;
  answer: string;
  calls: { name: string; arguments: unknown }[];
  errors: string[];
}

function read(pieces: readonly string[]): { parts: ContentPart[]; outcome: Outcome } {
  const segmenter = new Segmenter({
    think: -1,
    endThink: -1,
    startsInReasoning: false,
    reader: new ToolReader(TOOLS, T),
  });
  const parts = pieces.flatMap((piece) => segmenter.push(9, piece));
  parts.push(...segmenter.end());
  const errors = parts.flatMap((part) => (part.type === "tool-call-error" ? [part.text] : []));
  expect(parts.flatMap((part) => (part.type === "tool-call" ? [part.call] : []))).toEqual(
    segmenter.toolCalls,
  );
  return {
    parts,
    outcome: {
      reasoning: segmenter.reasoning,
      answer: segmenter.answer,
      calls: segmenter.toolCalls.map(({ name, arguments: args }) => ({ name, arguments: args })),
      errors,
    },
  };
}

const messageOf = (text: string): string => {
  const part = read([text]).parts.find((candidate) => candidate.type === "tool-call-error");
  return part?.type === "tool-call-error" ? part.message : "";
};

describe("well-formed calls", () => {
  it("come out parsed, with ids of their own, and are no answer text", () => {
    const { parts, outcome } = read([
      `<think>\nhm\n</think>\n\nLet me look.\n${calls(call("get_weather", '{"city": "Paris", "days": 2}'), call("ping", "{}"))}`,
    ]);
    expect(outcome).toEqual({
      reasoning: "hm",
      answer: "Let me look.\n",
      calls: [
        { name: "get_weather", arguments: { city: "Paris", days: 2 } },
        { name: "ping", arguments: {} },
      ],
      errors: [],
    });
    const ids = parts.flatMap((part) => (part.type === "tool-call" ? [part.call.id] : []));
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => /^call_[0-9a-f]{24}$/.test(id))).toBe(true);
  });

  it("come out one by one while the stream goes on", () => {
    const segmenter = new Segmenter({
      think: 1,
      endThink: 2,
      startsInReasoning: false,
      reader: new ToolReader(TOOLS, T),
    });
    const kinds = [
      T.toolCallsBegin,
      call("ping", "{}"),
      "\n",
      call("ping", '{"n": 1}'),
      T.toolCallsEnd,
    ].map((piece) => segmenter.push(9, piece).map((part) => part.type));
    expect(kinds).toEqual([[], ["tool-call"], [], ["tool-call"], []]);
  });

  it("may leave out the fence, the outer tags, or the type as later DeepSeek models do", () => {
    for (const text of [
      call("ping", "{}").replaceAll(/```(json)?/g, ""),
      call("ping", "{}"),
      `${T.toolCallsBegin}${T.toolCallBegin}ping${T.toolSep}{}${T.toolCallEnd}${T.toolCallsEnd}`,
      calls(call("ping", "{}").replace("```json", "```")),
    ]) {
      expect(read([text]).outcome, text).toMatchObject({
        calls: [{ name: "ping", arguments: {} }],
        errors: [],
      });
    }
  });

  it("are what the template writes for a history", () => {
    const args = { city: 'São "Paulo"\n</think>', days: 3 };
    expect(read([calls(call("get_weather", pythonJson(args)))]).outcome.calls).toEqual([
      { name: "get_weather", arguments: args },
    ]);
  });
});

describe("malformed calls", () => {
  const cases: [what: string, text: string, message: RegExp][] = [
    ["bad JSON", calls(call("ping", "{oops}")), /not JSON/],
    [
      "an unknown name",
      calls(call("rm_rf", "{}")),
      /no tool named "rm_rf"; the tools are get_weather, ping/,
    ],
    ["a missing argument", calls(call("get_weather", "{}")), /must have required property 'city'/],
    ["a wrong type", calls(call("get_weather", '{"city": 1}')), /\/city must be string/],
    [
      "an extra argument",
      calls(call("get_weather", '{"city": "x", "y": 1}')),
      /additional properties/,
    ],
    ["no separator", `${T.toolCallBegin}function ping {}${T.toolCallEnd}`, /no separator/],
    [
      "another type",
      `${T.toolCallBegin}plugin${T.toolSep}ping\n{}${T.toolCallEnd}`,
      /type is "plugin"/,
    ],
    ["no body", `${T.toolCallBegin}function${T.toolSep}${T.toolCallEnd}`, /not a name/],
    [
      "an unfinished call",
      `${T.toolCallsBegin}${T.toolCallBegin}function${T.toolSep}ping\n\`\`\`json\n{"a": `,
      /ended inside/,
    ],
    [
      "text between calls",
      calls(call("ping", "{}"), "and also", call("ping", "{}")),
      /text between/,
    ],
    [
      "arguments nested without end",
      calls(call("ping", `{"a": ${"[".repeat(5000)}${"]".repeat(5000)}}`)),
      /nested/,
    ],
  ];

  it.each(cases)("with %s are parts, not exceptions", (_what, text, message) => {
    const { outcome } = read([`ok ${text}`]);
    expect(outcome.errors).toHaveLength(1);
    expect(outcome.answer).toBe("ok ");
    expect(messageOf(text)).toMatch(message);
  });
});

describe("any stream", () => {
  it("gives the same outcome however it is cut, and loses no text", () => {
    const count = (text: string): number => text.split("Z").length - 1;
    const word = fc.constantFrom(
      "Z",
      "\n",
      "<",
      "｜tool",
      "ping",
      "{}",
      "```json\n",
      "```",
      ...[T.toolCallsBegin, T.toolCallsEnd, T.toolCallBegin, T.toolCallEnd, T.toolSep],
      call("ping", "{}"),
      calls(call("ping", "{}")),
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.array(fc.nat(30), { maxLength: 30 }),
        (words, cuts) => {
          const text = words.join("");
          const pieces: string[] = [];
          let at = 0;
          for (const cut of cuts) {
            pieces.push(text.slice(at, at + cut));
            at += cut;
          }
          const whole = read([text]).outcome;
          expect(read([...pieces, text.slice(at)]).outcome).toEqual(whole);
          expect(read([...text]).outcome).toEqual(whole);
          // No tag and no call that succeeds holds this letter, so each one must be in the answer or in an error.
          expect(count(whole.answer) + count(whole.errors.join(""))).toBe(count(text));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

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
      // The engine gives the tokens up to the one in which the stop string begins and ends, with the text before it.
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
        // The engine holds text that could begin a stop string, and gives it out with a later token.
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
