// Claims about answers in a form on the real addon: they end when they are whole and no sooner, and
// no grammar holds the engine up.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../lib/model/model.js";
import { runChild } from "../fixtures/child.js";
import { loadTiny, patchedTiny, withFolder } from "../fixtures/tiny.js";
import { writeLargeVocabularyModel } from "../parity/large-vocabulary.js";

const QUESTION = [{ role: "user", content: "What is 12+34?" }] as const;
const STRING = {
  type: "object",
  properties: { s: { type: "string", minLength: 5, maxLength: 12 } },
  required: ["s"],
  additionalProperties: false,
};
let model: Model;
beforeAll(async () => void (model = await loadTiny({ sequences: 4, contextSize: 8192 })));
afterAll(() => model.close());

describe("an answer in a form", () => {
  it("is whole when it ends by itself, however likely a token that ends the generation is", async () => {
    const ends = [model.tokenizer.user, ...model.tokenizer.endOfGeneration];
    const logitBias = Object.fromEntries(ends.map((id) => [id, 100]));
    for (const mode of ["off", "forced", "auto"] as const) {
      for (let seed = 0; seed < 5; seed++) {
        const own = model.tokenizer.encode("e");
        const { answer, finishReason } = await model
          .chat(QUESTION, {
            seed,
            logitBias,
            stopTokens: own,
            response: { schema: STRING },
            reasoning: { mode },
            maxTokens: 300,
          })
          .result();
        expect(finishReason).toBe("stop");
        expect(JSON.parse(answer)).toEqual({ s: expect.stringMatching(/^[^]{5,12}$/u) as string });
      }
    }
  });

  it("is refused beside ignoreEos, which makes its end impossible", () => {
    expect(() => model.chat(QUESTION, { ignoreEos: true, response: { schema: STRING } })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", details: { option: "ignoreEos" } }),
    );
  });

  it("fails as such when other options forbid all that it allows", async () => {
    const logitBias = Object.fromEntries(
      Array.from({ length: model.tokenizer.size }, (_, id) => [
        id,
        model.tokenizer.decode([id]).includes("y") ? -Infinity : 0,
      ]),
    );
    const run = model.chat(QUESTION, {
      logitBias,
      response: { grammar: 'root ::= "y"' },
      reasoning: { mode: "off" },
    });
    await expect(run.result()).rejects.toMatchObject({ code: "DECODE_FAILED" });
  });

  it("is refused where the prompt opens the reasoning and no token can close it, and kept to where the prompt does not", async () => {
    await withFolder(async (folder) => {
      const other = await loadTiny({}, patchedTiny(folder, "</think>", "<thought"));
      expect(other.tokenizer.endThink).toBe(-1);
      const response = { grammar: 'root ::= "yes" | "no"' };
      await expect(
        other.chat(QUESTION, { openThink: true, response }).result(),
      ).rejects.toMatchObject({ code: "TEMPLATE_UNSUPPORTED" });
      expect(
        (await other.chat(QUESTION, { openThink: false, response, seed: 1 }).result()).answer,
      ).toMatch(/^(yes|no)$/);
      await other.close();
    });
  });

  it.each([
    ["mirostat 1", { mirostat: { version: 1 } as const }],
    ["mirostat 2", { mirostat: { version: 2 } as const }],
    ["top-n-sigma", { topNSigma: 1 }],
    ["xtc and typical-p", { xtc: { probability: 0.5, threshold: 0.1 }, typicalP: 0.5 }],
    ["penalties and dry", { repeatPenalty: 1.5, dry: { multiplier: 0.8 }, presencePenalty: 1 }],
    ["the likeliest token", { temperature: 0 }],
    ["a high temperature", { temperature: 5, minP: 0, topP: 1, topK: 0 }],
  ])("is kept to with %s", async (_, options) => {
    const schema = {
      type: "object",
      properties: { a: { enum: ["x", "yes"] }, n: { type: "integer", minimum: 3, maximum: 77 } },
      required: ["a", "n"],
      additionalProperties: false,
    };
    for (let seed = 0; seed < 4; seed++) {
      const { answer, finishReason } = await model
        .chat(QUESTION, {
          seed,
          ...options,
          response: { schema },
          reasoning: { mode: "off" },
          maxTokens: 400,
        })
        .result();
      if (finishReason === "stop")
        expect(JSON.parse(answer)).toMatchObject({
          a: expect.stringMatching(/^(x|yes)$/) as string,
          n: expect.any(Number) as number,
        });
      else expect(finishReason).toBe("length");
    }
  });
});

describe("a forced call", () => {
  it("has arguments that parse and fit over many seeds, also where the model would write tool tags into a string", async () => {
    const parameters = {
      type: "object",
      properties: {
        text: { type: "string", maxLength: 40 },
        n: { type: "integer", minimum: 0, maximum: 9 },
      },
      required: ["text", "n"],
      additionalProperties: false,
    };
    const tools = [{ type: "function", function: { name: "note", parameters } }] as const;
    const bars = [
      ...new Set(model.tokenizer.encode("<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜User｜>")),
    ];
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, seed) =>
        model
          .chat(QUESTION, {
            seed,
            tools,
            toolChoice: "required",
            reasoning: { mode: "off" },
            maxTokens: 500,
            ...(seed % 2 === 0
              ? { logitBias: Object.fromEntries(bars.map((id) => [id, 8])), temperature: 3 }
              : {}),
          })
          .result(),
      ),
    );
    const ended = results.filter(({ finishReason }) => finishReason !== "length");
    expect(ended.length).toBeGreaterThan(30);
    for (const { finishReason, toolCalls, answer } of ended) {
      expect({ finishReason, calls: toolCalls.length, answer }).toEqual({
        finishReason: "tool-calls",
        calls: 1,
        answer: "",
      });
      expect(toolCalls[0]).toMatchObject({
        name: "note",
        arguments: { text: expect.any(String) as string, n: expect.any(Number) as number },
      });
    }
  });
});

describe("a grammar that is fit at first sight and costly to follow", () => {
  it("neither crashes nor hangs a model with 150,000 tokens", { timeout: 300_000 }, async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "large.gguf");
      await writeLargeVocabularyModel(path);
      const { stdout, signal, stderr } = await runChild(
        `
        const model = await loadModel(${JSON.stringify(path)}, { threads: 1, contextSize: 2048 });
        const bias = (text, value) => Object.fromEntries([...new Set(model.tokenizer.encode(text))].map((id) => [id, value]));
        const many = (count, make) => Array.from({ length: count }, (_, i) => make(i)).join(" ");
        const grammars = {
          twoWays: 'root ::= ("a" | "aa")* "b"',
          spaces: 'root ::= ([ ]+ [\\n]?)* "x"',
          words: 'root ::= (([a-z]+ | [a-z] [a-z]*) " "?)* "."',
          stars: "root ::= " + many(1900, () => '"a"*') + ' "b"',
          optionals: "root ::= (" + many(10, () => '"a"?') + '){1,150} "b"',
          alternatives: "root ::= (" + many(1900, (i) => '"a' + i + '" |') + ' "b")* "c"',
          anything: 'root ::= (.? .? .? .? .? .? .? .? .? .?){1,150} "z"',
        };
        for (const [name, grammar] of Object.entries(grammars)) {
          const logitBias = { ...bias("a".repeat(32), 30), ...bias("a   ", 25) };
          const end = await model.complete("hi", { seed: 1, temperature: 1, maxTokens: 30, response: { grammar }, logitBias, loopGuard: false }).result().then((r) => r.finishReason, (e) => e.code);
          console.log(name, end);
        }
        await model.close();`,
        { limitMs: 240_000 },
      );
      expect({ signal, stderr }).toEqual({ signal: null, stderr: "" });
      const ends = Object.fromEntries(
        stdout
          .trim()
          .split("\n")
          .map((line) => line.split(" ")) as [string, string][],
      );
      expect(Object.keys(ends)).toHaveLength(7);
      for (const end of Object.values(ends)) expect(end).toMatch(/^(length|stop|GRAMMAR_INVALID)$/);
      expect(ends).toMatchObject({ twoWays: "length", spaces: "length", words: "length" });
    });
  });
});
