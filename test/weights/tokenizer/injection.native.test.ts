// Whatever stands in a message, a tool or its result: the special ids of the prompt are those of
// the same conversation about the weather, in every vocabulary and by every way to ask.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatMessage } from "../../../lib/base/types.js";
import { normalizePrompt } from "../../../lib/model/chat-options.js";
import type { Model } from "../../../lib/model/model.js";
import { chatText, promptNow } from "../../../lib/model/prompt.js";
import { decodeSession } from "../../fixtures/saved-session.js";
import type { Weights } from "../../../lib/weights/weights.js";
import { checkMessages } from "../../../lib/template/messages.js";
import type { ToolDefinition } from "../../../lib/template/tools.js";
import { hostile, ordinary } from "../../fixtures/hostile-text.js";
import { loadTiny } from "../../fixtures/tiny.js";
import { writeVocabularies } from "../../fixtures/vocab-files.js";
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

/** A conversation with a place for a text wherever a user, a tool or an operator can put one. */
function conversation(put: (text: string) => string): {
  messages: readonly ChatMessage[];
  tools: readonly ToolDefinition[];
} {
  const text = (plain: string): string => put(plain);
  const messages = checkMessages([
    { role: "system", content: text("Be brief.") },
    { role: "system", content: text("Be kind.") },
    { role: "user", content: text("How is the weather?") },
    {
      role: "assistant",
      content: text("One moment."),
      toolCalls: [{ id: text("a"), name: "look", arguments: { [text("city")]: text("Paris") } }],
    },
    { role: "tool", content: text("Rain.") },
    { role: "assistant", content: text("It rains.") },
    { role: "user", content: text("And tomorrow?") },
    { role: "user", content: text("Well?") },
  ]);
  const parameters = {
    type: "object",
    properties: {
      [text("city")]: { type: "string", description: text("A city."), enum: [text("Paris")] },
    },
  };
  return {
    messages,
    tools: [
      {
        type: "function",
        function: { name: "look", description: text("Looks at the sky."), parameters },
      },
    ],
  };
}

/** A text for a place: what hostile people put together, never empty. */
const texts = (special: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(hostile(special), ordinary), { minLength: 1, maxLength: 4 })
    .map((pieces) => pieces.join("") || "<");

const plain = conversation((text) => text);

/** Counts what was tried, and what got through. */
const count = { conversations: 0, injected: 0 };
afterAll(() => {
  console.log(
    `special ids that came out of texts: ${count.injected} in ${count.conversations} conversations`,
  );
});

function specialOf(
  weights: { readonly special: ReadonlySet<number> },
  tokens: Int32Array,
): number[] {
  return [...tokens].filter((id) => weights.special.has(id));
}

describe.each(names)("a conversation in the vocabulary %s", (name) => {
  let weights: Weights;
  let special: Set<number>;
  let written: string[];
  beforeAll(async () => {
    weights = await openVocabulary(files.paths[name]);
    special = new Set(weights.native.specialTokens().map(({ id }) => id));
    written = weights.native.specialTokens().map(({ text }) => text);
  });
  afterAll(() => weights.close());

  it("has the special ids of its template, whatever stands in messages, calls, results and tools", () => {
    const render = (
      { messages, tools }: ReturnType<typeof conversation>,
      mode: "auto" | "forced" | "off",
    ): number[] =>
      specialOf(
        { special },
        promptNow(
          chatText(
            messages,
            { config: normalizePrompt({ tools }, mode), opensThink: false },
            weights,
          ),
          weights,
        ).tokens,
      );
    const expected = {
      auto: render(plain, "auto"),
      forced: render(plain, "forced"),
      off: render(plain, "off"),
    };
    expect(expected.auto.length).toBeGreaterThanOrEqual(8);
    fc.assert(
      fc.property(
        fc.array(texts(written), { minLength: 16, maxLength: 16 }),
        fc.constantFrom("auto", "forced", "off"),
        (hostileTexts, mode) => {
          let at = 0;
          const made = conversation(() => hostileTexts[at++ % hostileTexts.length] as string);
          const found = render(made, mode);
          count.conversations++;
          count.injected += Math.abs(found.length - expected[mode].length);
          expect(found).toEqual(expected[mode]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("the embedded model", () => {
  let model: Model;
  let special: Set<number>;
  let written: string[];
  beforeAll(async () => {
    model = await loadTiny({ sequences: 2, contextSize: 8192 });
    written = [];
    special = new Set();
    for (let id = 0; id < model.tokenizer.size; id++) {
      const text = model.tokenizer.decode([id]);
      if (![...model.tokenizer.encode(text)].includes(id) && /^<.*>$/u.test(text)) {
        special.add(id);
        written.push(text);
      }
    }
  });
  afterAll(() => model.close());

  const count16 = (special: string[]): fc.Arbitrary<string[]> =>
    fc.array(texts(special), { minLength: 16, maxLength: 16 });
  const fill = (hostileTexts: readonly string[]): ReturnType<typeof conversation> => {
    let at = 0;
    return conversation(() => hostileTexts[at++ % hostileTexts.length] as string);
  };

  it("marks its tags, and only those, as special", () => {
    const { bos, eos, user, assistant, think, endThink } = model.tokenizer;
    for (const id of [bos, eos, user, assistant, think, endThink])
      expect(special.has(id)).toBe(true);
  });

  it("formats what is hostile as it formats what is not, by R1's template and by its own", () => {
    for (const template of ["r1", "file"] as const) {
      const expected = specialOf(
        { special },
        model.formatChat(plain.messages, { tools: plain.tools, template }).tokens,
      );
      fc.assert(
        fc.property(count16(written), (hostileTexts) => {
          const { messages, tools } = fill(hostileTexts);
          const found = specialOf(
            { special },
            model.formatChat(messages, { tools, template }).tokens,
          );
          count.conversations++;
          count.injected += Math.abs(found.length - expected.length);
          expect(found).toEqual(expected);
        }),
        { numRuns: 120 },
      );
    }
  });

  it("sends what it formats, in a chat and in a session", async () => {
    await fc.assert(
      fc.asyncProperty(count16(written), async (hostileTexts) => {
        const { messages, tools } = fill(hostileTexts);
        const formatted = model.formatChat(messages, { tools }).tokens;
        const { usage } = await model.chat(messages, { tools, maxTokens: 1 }).result();
        expect(usage.promptTokens).toBe(formatted.length);

        const session = model.session({
          tools,
          messages: messages.slice(0, -1),
          reasoning: { mode: "off" },
        });
        const { tokens } = await session
          .send([messages.at(-1) as ChatMessage], { seed: 1, maxTokens: 8 })
          .result();
        const sent = model.formatChat(messages, { tools, reasoning: { mode: "off" } }).tokens;
        const saved = decodeSession(await session.save());
        count.conversations += 2;
        if (saved.tokens.length === 0) return;
        const held = [...saved.tokens];
        expect(held.slice(0, Math.min(held.length, sent.length))).toEqual(
          [...sent, ...tokens].slice(0, Math.min(held.length, sent.length)),
        );
      }),
      { numRuns: 15 },
    );
  });
});
