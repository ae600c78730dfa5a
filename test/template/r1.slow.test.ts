// Claims about R1's template: byte-equal to the official files but for listed differences, and safe
// whatever the messages hold.
import { readFileSync } from "node:fs";
import { Template } from "@huggingface/jinja";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatMessage, RoleTokens } from "../../lib/base/types.js";
import { pythonJson } from "../../lib/template/json-text.js";
import { checkMessages } from "../../lib/template/messages.js";
import { renderChat } from "../../lib/template/r1.js";
import {
  joinSegments,
  opensReasoning,
  ROLES,
  ROLE_TEXTS,
  segmentSpans,
  segmentsToNative,
  segmentsToText,
  type Segment,
} from "../../lib/template/segment.js";
import {
  DIFFERENCES,
  lettersFor,
  makeTable,
  REFERENCES,
  renderReference,
  withTable,
} from "../../scripts/template-table.mjs";
import { CASES, toReference } from "../fixtures/template-cases.mjs";

const TEMPLATES = new URL("../../vendor/llama.cpp/models/templates/", import.meta.url);
const OFFICIAL = REFERENCES.filter((reference) => reference.key !== "own");

const ours = (messages: readonly ChatMessage[], options = {}): string =>
  segmentsToText(renderChat(messages, { openThink: true, ...options }));

const content = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  fc.string({ minLength: 1, maxLength: 20 }),
  fc
    .array(
      fc.constantFrom(
        ...Object.values(ROLE_TEXTS),
        "</th",
        "ink>",
        "\n",
        "{{ x }}",
        "{% raw %}",
        "是",
        "😀",
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((words) => words.join("")),
);
const args = fc
  .jsonValue({ maxDepth: 2 })
  // Text is read as JSON of an object by the check, and is not under test here.
  .filter((value) => typeof value !== "string" && !JSON.stringify(value).includes("__proto__"));

/** A turn of the assistant or user, or a round of calls and results. */
const turn: fc.Arbitrary<ChatMessage[]> = fc.oneof(
  { weight: 4, arbitrary: content.map((text): ChatMessage[] => [{ role: "user", content: text }]) },
  {
    weight: 4,
    arbitrary: content.map((text): ChatMessage[] => [{ role: "assistant", content: text }]),
  },
  {
    weight: 1,
    arbitrary: content.map((text): ChatMessage[] => [{ role: "system", content: text }]),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.array(args, { minLength: 1, maxLength: 3 }),
        fc.array(content, { maxLength: 3 }),
        fc.option(content),
      )
      .map(([calls, results, text]): ChatMessage[] => [
        {
          role: "assistant",
          content: "",
          toolCalls: calls.map((value, i) => ({ id: `c${i}`, name: "f", arguments: value })),
        },
        ...results
          .slice(0, calls.length)
          .map((result): ChatMessage => ({ role: "tool", content: result })),
        ...(text === null ? [] : [{ role: "assistant", content: text } as const]),
      ]),
  },
);
const conversation = fc.array(turn, { minLength: 1, maxLength: 6 }).map((turns) => turns.flat());

describe("compared with the official files", () => {
  for (const reference of OFFICIAL) {
    it(`equals ${reference.title} in every case but those that a listed difference touches`, () => {
      let equal = 0;
      for (const { name, messages } of CASES) {
        const text = renderReference(reference, messages, pythonJson);
        if (lettersFor(reference, messages).length === 0) expect(ours(messages), name).toBe(text);
        if (ours(messages) === text) equal++;
      }
      expect(equal).toBeGreaterThanOrEqual(60);
    });

    it(`equals ${reference.title} on any conversation that no listed difference touches`, () => {
      let compared = 0;
      fc.assert(
        fc.property(conversation, (messages) => {
          if (lettersFor(reference, messages).length > 0) return;
          compared++;
          expect(ours(messages)).toBe(renderReference(reference, messages, pythonJson));
          expect(ours(messages, { generationPrompt: false })).toBe(
            renderReference(reference, messages, pythonJson, { add_generation_prompt: false }),
          );
        }),
        { numRuns: 1500 },
      );
      expect(compared).toBeGreaterThan(300);
    });
  }

  it("equals llama.cpp's own file once its EOS after user turns is taken out", () => {
    const source = readFileSync(new URL(REFERENCES[2]?.file ?? "", TEMPLATES), "utf8");
    const mended = source.replace(
      "message['content'] + '<｜end▁of▁sentence｜>' -}}\n    {%- endif -%}\n    {%- if message['role'] == 'assistant' and not",
      "message['content'] -}}\n    {%- endif -%}\n    {%- if message['role'] == 'assistant' and not",
    );
    expect(mended).not.toBe(source);
    const template = new Template(mended);
    let equal = 0;
    for (const { name, messages } of CASES) {
      if (
        lettersFor(REFERENCES[2] as (typeof REFERENCES)[number], messages).some(
          (letter) => letter !== "G",
        )
      )
        continue;
      equal++;
      expect(ours(messages), name).toBe(
        template.render({
          messages: toReference(messages, (value) => value),
          bos_token: ROLE_TEXTS.bos,
          add_generation_prompt: true,
        }),
      );
    }
    expect(equal).toBeGreaterThan(45);
  });

  it("joins several system messages as DeepSeek's newer files do", () => {
    const template = new Template(
      readFileSync(new URL("deepseek-ai-DeepSeek-V3.1.jinja", TEMPLATES), "utf8"),
    );
    const messages: ChatMessage[] = [
      { role: "system", content: "One." },
      { role: "user", content: "Hi" },
      { role: "system", content: "Two." },
      { role: "system", content: "三" },
    ];
    const opening = (text: string): string => text.slice(0, text.indexOf("<｜User｜>"));
    expect(opening(ours(messages))).toBe(
      opening(template.render({ messages, bos_token: ROLE_TEXTS.bos })),
    );
    expect(opening(ours(messages))).toBe(`${ROLE_TEXTS.bos}One.\n\nTwo.\n\n三`);
  });

  it("writes the closed form as Distill-Qwen's file does without enable_thinking", () => {
    const messages: ChatMessage[] = [{ role: "user", content: "Hi" }];
    expect(ours(messages, { skipThink: true })).toBe(
      renderReference(OFFICIAL[1] as (typeof OFFICIAL)[number], messages, pythonJson, {
        enable_thinking: false,
      }),
    );
  });

  it("has an example of every listed difference", () => {
    for (const { letter, of } of DIFFERENCES) {
      for (const reference of REFERENCES.filter((candidate) => of.includes(candidate.key))) {
        const shown = CASES.some(
          ({ messages }) =>
            lettersFor(reference, messages).includes(letter) &&
            ours(messages) !== renderReference(reference, messages, pythonJson),
        );
        expect(shown, `${letter} in ${reference.title}`).toBe(true);
      }
    }
  });

  it("is what docs/reference/template.md says it is", () => {
    const functions = { renderChat, segmentsToText, pythonJson };
    const page = new URL("../../docs/reference/template.md", import.meta.url);
    const document = readFileSync(page, "utf8");
    expect(makeTable(functions)).not.toContain("DIFFERS");
    expect(withTable(document, functions)).toBe(document);
  });
});

describe("the documented text", () => {
  it("of two turns comes out exactly", () => {
    const messages: ChatMessage[] = [
      { role: "user", content: "What is 1+1?" },
      { role: "assistant", content: "It's 2." },
      { role: "user", content: "Explain more!" },
    ];
    const text =
      "<｜begin▁of▁sentence｜><｜User｜>What is 1+1?<｜Assistant｜>It's 2.<｜end▁of▁sentence｜><｜User｜>Explain more!<｜Assistant｜>";
    expect(ours(messages, { openThink: false })).toBe(text);
    expect(ours(messages)).toBe(`${text}<think>\n`);
  });

  it("closes tool outputs and opens no new turn after them", () => {
    const messages: ChatMessage[] = [
      { role: "user", content: "Weather?" },
      {
        role: "assistant",
        content: "",
        toolCalls: [{ id: "a", name: "get_weather", arguments: { city: "Paris" } }],
      },
      { role: "tool", content: "12 °C" },
    ];
    expect(ours(messages)).toBe(
      '<｜begin▁of▁sentence｜><｜User｜>Weather?<｜Assistant｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city": "Paris"}\n```' +
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜><｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>12 °C<｜tool▁output▁end｜><｜tool▁outputs▁end｜>",
    );
  });
});

describe("segments", () => {
  const FULL = Object.fromEntries(ROLES.map((role, i) => [role, i])) as unknown as RoleTokens;

  it("carry the messages' texts untouched, and special tokens only from the structure", () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const segments = renderChat(messages, { openThink: true });
        for (const owner of ["user", "tool"] as const) {
          const texts = segments.flatMap((segment) =>
            "text" in segment && segment.owner === owner ? [segment.text] : [],
          );
          expect(texts).toEqual(
            messages.flatMap((message) => (message.role === owner ? [message.content] : [])),
          );
        }
        const plain = messages.map((message) => ({
          ...message,
          content: message.content.replaceAll(/[^\n]/gu, "x"),
        }));
        const specials = (list: readonly Segment[]): string[] =>
          list.flatMap((segment) => ("special" in segment ? [segment.special] : []));
        expect(specials(segments)).toEqual(specials(renderChat(plain, { openThink: true })));
        expect(
          segments.filter((segment) => "special" in segment && segment.special === "bos"),
        ).toHaveLength(1);
      }),
    );
  });

  it("join into runs without empty or neighbouring texts, and keep every character's owner", () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const segments = renderChat(messages, { openThink: true });
        const joined = joinSegments(segments);
        joined.forEach((segment, i) => {
          if ("special" in segment) return;
          const before = joined[i - 1];
          expect(segment.text).not.toBe("");
          expect(before === undefined || "special" in before).toBe(true);
          expect(segment.pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(
            segment.text.length,
          );
        });
        const text = segmentsToText(segments);
        const spans = segmentSpans(segments);
        expect(spans.map((span) => text.slice(span.start, span.end)).join("")).toBe(text);
        expect(spans.every((span, i) => span.start === (spans[i - 1]?.end ?? 0))).toBe(true);
        const users = messages
          .filter((message) => message.role === "user")
          .map((message) => message.content);
        expect(
          spans
            .filter((span) => span.owner === "user")
            .map((span) => text.slice(span.start, span.end)),
        ).toEqual(users);
      }),
    );
  });

  it("become ids and texts for native code", () => {
    const messages: ChatMessage[] = [
      { role: "system", content: "S" },
      { role: "user", content: "<think>" },
    ];
    const { texts, ids } = segmentsToNative(renderChat(messages, { openThink: true }), FULL);
    expect(texts).toEqual(["", "S", "", "<think>", "", "", "\n"]);
    expect([...ids]).toEqual([FULL.bos, -1, FULL.user, -1, FULL.assistant, FULL.think, -1]);
  });

  it("write a missing role as text joined to its neighbours, and refuse a missing turn token", () => {
    const segments = renderChat([{ role: "user", content: "Hi" }], { openThink: true });
    expect(segmentsToNative(segments, { ...FULL, think: -1 }).texts.at(-1)).toBe("<think>\n");
    for (const role of ["bos", "user", "assistant"] as const) {
      expect(() => segmentsToNative(segments, { ...FULL, [role]: -1 })).toThrow(
        expect.objectContaining({ code: "TEMPLATE_UNSUPPORTED" }),
      );
    }
  });

  it("tell whether the prompt opens the reasoning", () => {
    const messages: ChatMessage[] = [{ role: "user", content: "<think>" }];
    expect(opensReasoning(renderChat(messages, { openThink: true }))).toBe(true);
    expect(opensReasoning(renderChat(messages, { openThink: false }))).toBe(false);
    expect(opensReasoning(renderChat(messages, { openThink: true, skipThink: true }))).toBe(false);
    expect(opensReasoning(renderChat(messages, { openThink: true, generationPrompt: false }))).toBe(
      false,
    );
  });
});

describe("JSON text", () => {
  it("is read back as the same value, in the spacing of the official files", () => {
    fc.assert(
      fc.property(args, fc.constantFrom(undefined, 2, 4), (value, indent) => {
        expect(JSON.parse(pythonJson(value, indent))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(pythonJson({ a: [1, { b: "é" }], c: {}, d: [] })).toBe(
      '{"a": [1, {"b": "é"}], "c": {}, "d": []}',
    );
    expect(pythonJson({ a: [1, 2], b: {} }, 2)).toBe(
      '{\n  "a": [\n    1,\n    2\n  ],\n  "b": {}\n}',
    );
  });
});

/** Rounds whose calls all have a result, since a conversation with others is refused. */
const answeredConversation = conversation.map((messages) =>
  messages.flatMap((message, at): ChatMessage[] => {
    const results = messages.slice(at + 1).findIndex((next) => next.role !== "tool");
    const given = results < 0 ? messages.length - at - 1 : results;
    const missing = Math.max(0, (message.toolCalls?.length ?? 0) - given);
    // Results carry no ids here, so that those added count for the first calls.
    return [
      message,
      ...Array.from({ length: missing }, () => ({ role: "tool", content: "r" }) as const),
    ];
  }),
);

describe("messages", () => {
  it("pass the check and render alike when they are in order", () => {
    fc.assert(
      fc.property(answeredConversation, (messages) => {
        const checked = checkMessages(messages);
        expect(
          Object.isFrozen(checked) && checked.every((message) => Object.isFrozen(message)),
        ).toBe(true);
        expect(ours(checked)).toBe(ours(messages));
      }),
    );
  });
});
