// Several choices from one prompt on the real addon: as many as asked for, each as if it ran alone,
// one prompt for all, and given up together.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatMessage, GenerationResult } from "../../lib/base/types.js";
import type { ChatOptions } from "../../lib/model/chat-options.js";
import type { Model } from "../../lib/model/model.js";
import type { Generation } from "../../lib/engine/generation.js";
import { ENDLESS, collect, loadTiny, sleep } from "../fixtures/tiny.js";

/** Longer than what the engine waits for another prompt's cells for. */
const LONG: ChatMessage[] = [
  { role: "user", content: `${"What is 12+34? Tell me about letters. ".repeat(6)}What is 1+1?` },
];
const RAW = `<｜User｜>Letters first, then sums. ${"What is 12+34? Tell me about letters. ".repeat(6)}<｜Assistant｜>`;
/** Hot enough for different seeds to give different replies. */
const HOT = { temperature: 5, topK: 0, topP: 1, minP: 0, maxTokens: 24, ignoreEos: true } as const;

let model: Model;
beforeAll(async () => void (model = await loadTiny({ sequences: 4, contextSize: 4096 })));
afterAll(() => model.close());

const all = (runs: readonly Generation[]): Promise<GenerationResult[]> =>
  Promise.all(runs.map((run) => run.result()));

describe("choices", () => {
  it("gives n replies with seeds that count up, of which each but the first takes over the prompt's cells", async () => {
    for (const runs of [
      model.choices(LONG, { ...HOT, n: 4, seed: 11 }),
      model.choices(RAW, { ...HOT, n: 4, seed: 11 }),
    ]) {
      const results = await all(runs);
      expect(results.map(({ seed }) => seed)).toEqual([11, 12, 13, 14]);
      expect(new Set(results.map(({ text }) => text)).size).toBe(4);
      const { promptTokens } = results[0]?.usage ?? { promptTokens: 0 };
      expect(promptTokens).toBeGreaterThan(33);
      for (const { usage } of results.slice(1))
        expect(usage).toMatchObject({ promptTokens, cachedTokens: promptTokens - 1 });
    }
  });

  it("gives more choices than there are sequences, and on one sequence the prompt is computed once too", async () => {
    expect(await all(model.choices(LONG, { ...HOT, n: 9 }))).toHaveLength(9);
    const narrow = await loadTiny();
    const results = await all(narrow.choices(LONG, { ...HOT, n: 3 }));
    expect(results.map(({ usage }) => usage.cachedTokens > 0)).toEqual([false, true, true]);
    await narrow.close();
  });

  it("gives what chat() and complete() give with each seed", async () => {
    const exact = await loadTiny({ sequences: 4, contextSize: 4096, deterministic: true });
    const chats = await all(exact.choices(LONG, { ...HOT, n: 4, seed: 4_294_967_293 }));
    // The last seed that there is, and round to the first.
    const seeds = [4_294_967_293, 4_294_967_294, 0, 1];
    for (const [i, seed] of seeds.entries()) {
      expect(chats[i]).toMatchObject({ seed });
      expect(chats[i]?.tokens).toEqual((await exact.chat(LONG, { ...HOT, seed }).result()).tokens);
    }
    const ids = exact.tokenizer.encode(RAW, { special: true });
    const [raw] = await all(exact.choices(ids, { ...HOT, n: 1, seed: 5 }));
    expect(raw?.tokens).toEqual((await exact.complete(RAW, { ...HOT, seed: 5 }).result()).tokens);
    await exact.close();
  });

  it("draws a seed when none is given, one for all", async () => {
    const [first, second] = await all(model.choices(RAW, { ...HOT, n: 2 }));
    expect(second?.seed).toBe(((first?.seed ?? 0) + 1) % 4_294_967_295);
  });

  it("reads each choice's tool calls by itself", async () => {
    const tools = [
      {
        type: "function",
        function: {
          name: "add",
          parameters: {
            type: "object",
            properties: { a: { enum: [1, 2] } },
            required: ["a"],
            additionalProperties: false,
          },
        },
      },
    ] as const;
    const options: ChatOptions = {
      tools,
      toolChoice: "required",
      reasoning: { mode: "off" },
      maxTokens: 200,
    };
    for (const { toolCalls } of await all(model.choices(LONG, { ...options, n: 3, seed: 1 }))) {
      expect(toolCalls).toHaveLength(1);
      expect(toolCalls[0]?.name).toBe("add");
    }
  });

  it("ends all of them when the signal aborts, without a warning of too many listeners", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on("warning", listen);
    const controller = new AbortController();
    const roomy = await loadTiny({ sequences: 4, contextSize: 65_536 });
    const runs = roomy.choices(RAW, { ...ENDLESS, n: 16, signal: controller.signal });
    const reason = new Error("enough");
    while (roomy.stats().running < 4) await sleep(5);
    controller.abort(reason);
    const results = await all(runs.slice(1));
    await expect(collect(runs[0] as Generation)).rejects.toBe(reason);
    process.off("warning", listen);
    expect(results.map(({ finishReason }) => finishReason)).toEqual(
      Array.from({ length: 15 }, () => "aborted"),
    );
    expect(warnings).toEqual([]);
    expect(roomy.stats()).toMatchObject({ waiting: 0 });
    await roomy.close();
  });

  it.each([0, -1, 65, 1.5, "2", undefined])("refuses n = %o", (n) => {
    expect(() => model.choices(LONG, { n: n as number })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("refuses what chat() and complete() refuse", async () => {
    const codeOf = (work: () => unknown): string => {
      try {
        work();
        return "ok";
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(codeOf(() => model.choices([], { n: 2 }))).toBe("INVALID_MESSAGE");
    expect(codeOf(() => model.choices(LONG, { n: 2, temprature: 1 } as never))).toBe(
      "UNKNOWN_OPTION",
    );
    expect(codeOf(() => model.choices(LONG, { n: 2, seed: -1 }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => model.choices(RAW, { n: 2, openThink: true } as never))).toBe(
      "UNKNOWN_OPTION",
    );
    for (const run of model.choices(RAW.repeat(100), { n: 2 }))
      await expect(run.result()).rejects.toMatchObject({ code: "PROMPT_TOO_LONG" });
  });

  it("runs none of them when the queue has no room for all", async () => {
    const narrow = await loadTiny({ maxQueue: 2 });
    for (const run of narrow.choices(RAW, { ...ENDLESS, n: 64 }))
      await expect(run.result()).rejects.toMatchObject({ code: "QUEUE_FULL" });
    expect(narrow.stats()).toMatchObject({ requests: 0, running: 0, waiting: 0, preparing: 0 });
    await narrow.close();
  });
});
