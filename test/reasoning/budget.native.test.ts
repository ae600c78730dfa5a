// Claims about budgets of reasoning on the real addon: many seeds, budgets and ways to ask, and not
// one token over.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerationResult } from "../../lib/base/types.js";
import type { ChatOptions } from "../../lib/model/chat-options.js";
import type { Model } from "../../lib/model/model.js";
import type { Generation } from "../../lib/engine/generation.js";
import { DEFAULT_CLOSING } from "../../lib/reasoning/options.js";
import { loadTiny } from "../fixtures/tiny.js";

const BUDGETS = [0, 1, 2, 3, 5, 8, 13, 21, 40, 200];
const CLOSINGS = [undefined, "", " Enough.", "\n\n够了 🙂\n"];

let model: Model;
beforeAll(
  async () =>
    void (model = await loadTiny({ contextSize: 8192, sequences: 8, maxQueue: 2000, maxDraft: 4 })),
);
afterAll(() => model.close());

/** Ways to ask with a budget, by name. */
const WAYS: Record<string, (question: string, options: ChatOptions) => Generation> = {
  auto: (content, options) => model.chat([{ role: "user", content }], options),
  forced: (content, options) =>
    model.chat([{ role: "user", content }], {
      ...options,
      reasoning: { ...options.reasoning, mode: "forced" },
    }),
  "a raw prompt": (content, options) =>
    model.complete(`<｜User｜>${content}<｜Assistant｜><think>\n`, options),
  "an answer in a schema": (content, options) =>
    model.chat([{ role: "user", content }], {
      ...options,
      response: { schema: { enum: ["yes", "no"] } },
    }),
  "a forced call": (content, options) =>
    model.chat([{ role: "user", content }], {
      ...options,
      tools: [
        {
          type: "function",
          function: {
            name: "f",
            parameters: { type: "object", properties: {}, additionalProperties: false },
          },
        },
      ],
      toolChoice: "required",
    }),
  "guesses of n-grams": (content, options) =>
    model.chat([{ role: "user", content }], { ...options, speculation: { ngram: 4 } }),
  "no end of its own": (content, options) =>
    model.chat([{ role: "user", content }], {
      ...options,
      logitBias: { [model.tokenizer.endThink]: -Infinity },
    }),
};

/**
 * Tokens of the reasoning that are the model's own beyond the budget, and whether the budget was
 * spent.
 */
function overshoot(
  { tokens }: GenerationResult,
  budget: number,
  closing: string,
): { over: number; isSpent: boolean; inside: number; tags: number } {
  const { think, endThink } = model.tokenizer;
  const fed = model.tokenizer.encode(closing);
  const opened = tokens.indexOf(think);
  const closed = tokens.indexOf(endThink);
  // The tag that opens is the prompt's where the reply does not begin with one.
  const isOwn =
    opened >= 0 &&
    (closed < 0 || opened < closed) &&
    model.tokenizer.decode(tokens.slice(0, opened)).trim() === "";
  const inside = tokens.slice(isOwn ? opened + 1 : 0, closed < 0 ? tokens.length : closed);
  const beyond = inside.slice(budget);
  const over = beyond.filter((token, i) => token !== fed[i]).length;
  return {
    over,
    isSpent: closed >= 0 && inside.length === budget + fed.length,
    inside: inside.length,
    tags: Number(isOwn) + Number(closed >= 0),
  };
}

describe("a budget of reasoning", () => {
  it("is held to the token over seeds, budgets, closing lines and ways to ask", async () => {
    const runs = Object.keys(WAYS).flatMap((way) =>
      BUDGETS.flatMap((budget) => CLOSINGS.map((closing) => ({ way, budget, closing }))),
    );
    const results = await Promise.all(
      runs.flatMap(({ way, budget, closing }, i) =>
        [i, i + 10_000].map(async (seed) => {
          const reasoning = { maxTokens: budget, ...(closing === undefined ? {} : { closing }) };
          const options = {
            seed,
            temperature: seed % 3 === 0 ? 1.5 : 0.6,
            maxTokens: budget + 60,
            reasoning,
          };
          const result = await (WAYS[way] as (typeof WAYS)[string])(
            `What is ${seed % 90}+${seed % 70}?`,
            options,
          ).result();
          return {
            what: `${way}, budget ${budget}, seed ${seed}`,
            result,
            ...overshoot(result, budget, closing ?? DEFAULT_CLOSING),
          };
        }),
      ),
    );
    const over = results.filter((run) => run.over > 0);
    const spent = results.filter((run) => run.isSpent);
    console.log(
      `budgets of reasoning overshot: ${over.length} of ${results.length} runs, ${spent.length} of which spent theirs`,
    );
    expect(over.map((run) => run.what)).toEqual([]);
    expect(spent.length).toBeGreaterThan(results.length / 2);
    // What is counted is what there was, tags included; a reply that never opened the reasoning has
    // none.
    for (const { what, result, inside, tags } of results) {
      const { reasoningTokens } = result.usage;
      if (reasoningTokens !== 0 || tags !== 0)
        expect({ what, reasoningTokens }).toEqual({ what, reasoningTokens: inside + tags });
    }
    // Once it is spent the answer follows.
    for (const { what, result } of spent)
      if (result.finishReason === "stop")
        expect({ what, answer: result.answer }).not.toEqual({ what, answer: "" });
  });
});
