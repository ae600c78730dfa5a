// What `generation.endReasoning()` does in each state of a generation, in this process and in an
// isolated one.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Part } from "../../lib/base/types.js";
import type { Generation } from "../../lib/engine/generation.js";
import type { ChatOptions } from "../../lib/model/chat-options.js";
import type { Model } from "../../lib/model/model.js";
import { DEFAULT_CLOSING } from "../../lib/reasoning/options.js";
import { ENDLESS, loadTiny } from "../fixtures/tiny.js";

const QUESTION = [{ role: "user", content: "What is 12+30?" }] as const;
/** Without it the thinking would never end. */
const ENDLESS_THOUGHT: ChatOptions = { reasoning: { mode: "forced" }, loopGuard: false };

const closed = (reasoning: string): boolean => reasoning.endsWith(DEFAULT_CLOSING.trimEnd());

/** Reads a generation, and calls `act` at the first part of a type. */
async function actAt(run: Generation, type: Part["type"], act: () => void): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const part of run) {
    if (part.type === type && !parts.some((earlier) => earlier.type === type)) act();
    parts.push(part);
  }
  return parts;
}

describe.each(["none", "process"] as const)("endReasoning with isolation %s", (isolation) => {
  let model: Model;
  let endThink: number;
  const thinkOnAndOn = (options: ChatOptions = {}): Generation =>
    model.chat(QUESTION, {
      ...ENDLESS_THOUGHT,
      seed: 7,
      logitBias: { [endThink]: -Infinity },
      maxTokens: 60_000,
      ...options,
    });
  beforeAll(async () => {
    model = await loadTiny({ isolation, contextSize: 65_536 });
    endThink = model.tokenizer.endThink;
  });
  afterAll(() => model.close());

  it("closes a running reasoning by the closing line, and the answer follows", async () => {
    const run = thinkOnAndOn();
    const parts = await actAt(run, "reasoning-delta", () => run.endReasoning());
    const { reasoning, answer, finishReason } = await run.result();
    expect(closed(reasoning)).toBe(true);
    expect(answer).not.toBe("");
    expect(finishReason).toBe("stop");
    expect(parts.map((part) => part.type)).toContain("answer-start");
  });

  it("feeds the line of `reasoning.closing`", async () => {
    const run = thinkOnAndOn({ reasoning: { mode: "forced", closing: "\nEnough!\n" } });
    await actAt(run, "reasoning-delta", () => run.endReasoning());
    expect((await run.result()).reasoning).toMatch(/\nEnough!$/);
  });

  it("closes the reasoning at its first token when it is called while nothing runs yet", async () => {
    const line = model.tokenizer.encode(DEFAULT_CLOSING).length;
    const before = model.complete("1", ENDLESS);
    const queued = thinkOnAndOn();
    await queued.admitted;
    queued.endReasoning();
    const atOnce = thinkOnAndOn();
    atOnce.endReasoning();
    before.cancel();
    for (const run of [atOnce, queued]) {
      const { reasoning, usage } = await run.result();
      expect(reasoning).toBe(DEFAULT_CLOSING.trim());
      expect(usage.reasoningTokens).toBe(line + 1);
    }
  });

  it("closes it at its first token when it is called while the prompt is computed", async () => {
    const content = "What is 1+1? ".repeat(1500);
    const run = model.chat([{ role: "user", content }], {
      ...ENDLESS_THOUGHT,
      cachePrompt: false,
      promptProgress: true,
    });
    await actAt(run, "prompt-progress", () => run.endReasoning());
    expect((await run.result()).reasoning).toBe(DEFAULT_CLOSING.trim());
  });

  it("is noted while a form is compiled, and the form still holds", async () => {
    const schema = {
      type: "object",
      properties: { ["n" + isolation]: { const: 4 } },
      required: ["n" + isolation],
      additionalProperties: false,
    };
    const run = thinkOnAndOn({ response: { schema } });
    run.endReasoning();
    const { reasoning, answer } = await run.result();
    expect(reasoning).toBe(DEFAULT_CLOSING.trim());
    expect(JSON.parse(answer)).toEqual({ ["n" + isolation]: 4 });
  });

  it("changes nothing in the answer, after the end and after cancel", async () => {
    const whole = await model.chat(QUESTION, { seed: 3407 }).result();
    const run = model.chat(QUESTION, { seed: 3407 });
    await actAt(run, "answer-start", () => run.endReasoning());
    run.endReasoning();
    const { tokens } = await run.result();
    expect([...tokens]).toEqual([...whole.tokens]);
    const cancelled = thinkOnAndOn();
    cancelled.cancel();
    cancelled.endReasoning();
    expect((await cancelled.result()).finishReason).toBe("aborted");
  });

  it("closes a reasoning that guesses of n-grams run through", async () => {
    const run = thinkOnAndOn({ speculation: { ngram: 8 }, temperature: 0 });
    await actAt(run, "reasoning-delta", () => run.endReasoning());
    expect(closed((await run.result()).reasoning)).toBe(true);
  });
});
