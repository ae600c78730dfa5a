// Claims about tool calls in a stream: parsed and checked, never an exception, the same however the
// stream is cut.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Segmenter } from "../../lib/reasoning/segmenter.js";
import { ToolReader } from "../../lib/reasoning/tool-reader.js";
import { pythonJson } from "../../lib/template/json-text.js";
import { call, calls, read, T, TOOLS } from "../fixtures/tool-calls.js";

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
    [
      "no body",
      `${T.toolCallBegin}function${T.toolSep}${T.toolCallEnd}`,
      /does not consist of a name/,
    ],
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
          // No tag and no call that succeeds holds this letter, so each one must be in the answer
          // or in an error.
          expect(count(whole.answer) + count(whole.errors.join(""))).toBe(count(text));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
