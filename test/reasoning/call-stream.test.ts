// Claims about tool calls that are told while they are written: the deltas are the arguments, a
// start is always followed by its end, and nothing else changes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ContentPart } from "../../lib/base/types.js";
import { Segmenter } from "../../lib/reasoning/segmenter.js";
import { ToolReader } from "../../lib/reasoning/tool-reader.js";
import { call, calls, T, TOOLS } from "../fixtures/tool-calls.js";

/** The tags' ids in a vocabulary that has them. */
const IDS = {
  toolCallsBegin: 11,
  toolCallsEnd: 12,
  toolCallBegin: 13,
  toolCallEnd: 14,
  toolSep: 15,
};

/** Reads pieces, tags by their text or by their ids. */
function read(pieces: readonly string[], byId: boolean, deltas = true): ContentPart[] {
  const segmenter = new Segmenter({
    think: 1,
    endThink: 2,
    startsInReasoning: false,
    reader: new ToolReader(TOOLS, T, byId ? IDS : {}, deltas),
  });
  const names = Object.keys(IDS) as (keyof typeof IDS)[];
  const parts = pieces.flatMap((piece) => {
    const name = byId ? names.find((each) => T[each] === piece) : undefined;
    return segmenter.push(name === undefined ? 99 : IDS[name], piece);
  });
  return [...parts, ...segmenter.end()];
}

/** Cuts a text into characters, its tags whole where they are told by id. */
function cut(text: string, byId: boolean): string[] {
  if (!byId) return [...text];
  const tags = (Object.keys(IDS) as (keyof typeof IDS)[]).map((name) => T[name]);
  const pattern = new RegExp(`(${tags.map((tag) => tag.replace(/[|]/g, "\\|")).join("|")})`, "u");
  return text.split(pattern).flatMap((piece) => (tags.includes(piece) ? [piece] : [...piece]));
}

const withoutIds = (parts: readonly ContentPart[]): unknown =>
  JSON.parse(JSON.stringify(parts).replace(/call_[0-9a-f]{24}/g, "call"));

describe.each([false, true])("told by id: %s", (byId) => {
  it("a call's start comes with its name, its arguments as they grow, then the whole", () => {
    const parts = read(
      cut(calls(call("get_weather", '{"city": "Pa}\\"ris", "days": 2}')), byId),
      byId,
    );
    const [start, ...rest] = parts;
    const end = rest.pop();
    expect(start).toMatchObject({ type: "tool-call-start", name: "get_weather" });
    const id = start?.type === "tool-call-start" ? start.id : "";
    const text = rest.map((part) => {
      expect(part).toMatchObject({ type: "tool-call-delta", id });
      return part.type === "tool-call-delta" ? part.text : "";
    });
    expect(text.length).toBeGreaterThan(20);
    expect(text.join("")).toBe('{"city": "Pa}\\"ris", "days": 2}');
    expect(end).toEqual({
      type: "tool-call",
      call: { id, name: "get_weather", arguments: { city: 'Pa}"ris', days: 2 } },
    });
  });

  it("a start of what is refused in the end is taken back by its id", () => {
    for (const body of ['{"city": 5}', '{"city": "x"', '{"city": "x"} and more', "no JSON"]) {
      const parts = read(cut(calls(call("get_weather", body)), byId), byId);
      const [start] = parts;
      expect(start).toMatchObject({ type: "tool-call-start" });
      const id = start?.type === "tool-call-start" ? start.id : "";
      expect(parts.at(-1)).toMatchObject({ type: "tool-call-error", id });
      expect(parts.filter((part) => part.type === "tool-call")).toEqual([]);
    }
  });

  it("a call that the generation breaks off is taken back too", () => {
    const text = calls(call("get_weather", '{"city": "Paris"}'));
    for (let length = 0; length < text.length; length++) {
      const parts = read(cut(text.slice(0, length), byId), byId);
      const starts = parts.filter((part) => part.type === "tool-call-start");
      const ends = parts.filter(
        (part) => part.type === "tool-call" || (part.type === "tool-call-error" && "id" in part),
      );
      expect(ends).toHaveLength(starts.length);
    }
  });

  it("an unknown name and text that is no call have no start", () => {
    for (const body of [call("nope", "{}"), call("", "{}"), "stray"]) {
      const parts = read(cut(calls(body), byId), byId);
      expect(parts.map(({ type }) => type)).toEqual(["tool-call-error"]);
      expect(parts[0]).not.toHaveProperty("id");
    }
  });

  it("without the option there are no such parts, and with it the others are the same", () => {
    const word = fc.constantFrom(
      ...Object.values(T).slice(5),
      "function",
      "get_weather",
      "ping",
      "\n```json\n",
      "\n```",
      "{",
      "}",
      '"city"',
      ": ",
      '"x"',
      "\\",
      " ",
      call("ping", "{}"),
      call("get_weather", '{"city": "是"}'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), (words) => {
        const pieces = words.flatMap((piece) => cut(piece, byId));
        const plain = read(pieces, byId, false);
        const told = read(pieces, byId);
        const rest = told.filter(({ type }) => !/^tool-call-(start|delta)$/.test(type));
        const bare = rest.map((part) => {
          if (part.type !== "tool-call-error") return part;
          const { type, text, message } = part;
          return { type, text, message };
        });
        expect(plain.filter(({ type }) => /^tool-call-(start|delta)$/.test(type))).toEqual([]);
        expect(withoutIds(bare)).toEqual(withoutIds(plain));
      }),
      { numRuns: 500 },
    );
  });
});
