// How the engine is set up does not move the ids away from upstream's with the same set-up:
// threads, sequences, batch sizes, cache types, attention, speculation.
import { afterAll, describe, expect, it } from "vitest";
import { loadModel } from "../../lib/index.js";
import type { LoadOptions } from "../../lib/index.js";
import { DOCUMENTED, GREEDY, TINY_R1, Tally, compare, differences } from "./compare.js";
import { Oracle } from "./oracle.js";
import { PROMPTS } from "./prompts.js";

const oracle = new Oracle();
const tally = new Tally();
afterAll(() => {
  oracle.close();
  tally.print("set-ups of the engine");
});

const prompts = Object.fromEntries(
  ["larger sum", "letters in a word", "chinese", "three turns", "over 1024 tokens"].map((name) => [
    name,
    PROMPTS[name]!,
  ]),
);

const SETUPS: { name: string; options: LoadOptions; flags: string }[] = [
  { name: "two threads", options: { threads: 2 }, flags: "-t 2 -tb 2" },
  {
    name: "one thread to decode, two for prompts",
    options: { threads: 1, threadsBatch: 2 },
    flags: "-t 1 -tb 2",
  },
  {
    name: "four sequences in one pool",
    options: { threads: 1, sequences: 4 },
    flags: "-t 1 -tb 1",
  },
  {
    name: "four sequences with a share each",
    options: { threads: 1, sequences: 4, kvUnified: false, contextSize: 16384 },
    flags: "-t 1 -tb 1",
  },
  {
    name: "one sequence at a time",
    options: { threads: 1, sequences: 4, deterministic: true, contextSize: 16384 },
    flags: "-t 1 -tb 1",
  },
  {
    name: "small micro-batches",
    options: { threads: 1, batchSize: 256, ubatchSize: 64 },
    flags: "-t 1 -tb 1 -b 256 -ub 64",
  },
  {
    name: "large micro-batches",
    options: { threads: 1, batchSize: 2048, ubatchSize: 2048 },
    flags: "-t 1 -tb 1 -b 2048 -ub 2048",
  },
  {
    name: "flash attention off",
    options: { threads: 1, flashAttention: "off" },
    flags: "-t 1 -tb 1 -fa off",
  },
  {
    name: "a q8_0 cache",
    options: { threads: 1, cacheTypeK: "q8_0" },
    flags: "-t 1 -tb 1 -ctk q8_0 -ctv q8_0",
  },
  {
    name: "no warm-up, no repacking, weights read",
    options: { threads: 1, warmup: false, repack: false, loadMode: "none" },
    flags: "-t 1 -tb 1 --no-repack",
  },
];

describe("one request at a time", () => {
  it.each(SETUPS)(
    "gives upstream's ids: $name",
    { timeout: 300_000 },
    async ({ options, flags }) => {
      const model = await loadModel(TINY_R1, { contextSize: 4096, prefixCache: false, ...options });
      try {
        for (const setting of [GREEDY, DOCUMENTED]) {
          const comparisons = await compare(
            oracle,
            { model, file: TINY_R1, flags: ["-c", "4096", ...flags.split(" ")] },
            prompts,
            setting,
            80,
          );
          tally.add(comparisons);
          expect(differences(comparisons)).toEqual([]);
        }
      } finally {
        await model.close();
      }
    },
  );
});

describe("what saves work", () => {
  const flags = ["-c", "4096", "-t", "1", "-tb", "1"];
  const turns = Object.fromEntries(
    ["one sum", "two turns", "three turns", "larger sum", "letters in a word"].map((name) => [
      name,
      PROMPTS[name]!,
    ]),
  );

  it("cells kept from earlier prompts leave upstream's ids", async () => {
    const model = await loadModel(TINY_R1, { contextSize: 4096, threads: 1 });
    try {
      for (const setting of [GREEDY, DOCUMENTED, GREEDY]) {
        const comparisons = await compare(
          oracle,
          { model, file: TINY_R1, flags },
          turns,
          setting,
          200,
        );
        tally.add(comparisons);
        expect(differences(comparisons)).toEqual([]);
      }
      expect(model.stats().cachedTokens).toBeGreaterThan(0);
    } finally {
      await model.close();
    }
  });

  it("speculation leaves upstream's ids", async () => {
    // How many guesses a step has depends on the clock otherwise, and low bits on that.
    const model = await loadModel(TINY_R1, {
      contextSize: 4096,
      threads: 1,
      prefixCache: false,
      deterministic: true,
    });
    try {
      for (const setting of [GREEDY, DOCUMENTED]) {
        const speculating = {
          ...setting,
          options: { ...setting.options, speculation: { ngram: 8 } },
        };
        const comparisons = await compare(
          oracle,
          { model, file: TINY_R1, flags },
          turns,
          speculating,
          200,
        );
        tally.add(comparisons);
        expect(differences(comparisons)).toEqual([]);
      }
      expect(model.stats().acceptedTokens).toBeGreaterThan(0);
    } finally {
      await model.close();
    }
  });
});

describe("a prompt's BOS", () => {
  it("is one, whether the prompt brings none, one or two, and whatever the file says of adding it", async () => {
    const file = TINY_R1;
    const plain = PROMPTS["two turns"]!;
    const bos = "<｜begin▁of▁sentence｜>";
    const question = {
      file,
      maxTokens: 200,
      flags: ["-c", "2048", "-t", "1", "-tb", "1", ...DOCUMENTED.flags],
    };
    const added = await oracle.ask({ ...question, prompt: plain });
    const own = await oracle.ask({
      ...question,
      prompt: bos + plain,
      flags: [...question.flags, "--override-kv", "tokenizer.ggml.add_bos_token=bool:false"],
    });
    expect(own).toEqual(added);
    for (const metadataOverrides of [
      {},
      { "tokenizer.ggml.add_bos_token": false },
      { "tokenizer.ggml.add_bos_token": true },
    ]) {
      const model = await loadModel(file, { contextSize: 2048, threads: 1, metadataOverrides });
      try {
        for (const prompt of [plain, bos + plain, bos + bos + plain, added.prompt]) {
          const result = await model
            .complete(prompt, { maxTokens: 200, ...DOCUMENTED.options, cachePrompt: false })
            .result();
          expect([...result.tokens]).toEqual(added.tokens);
          expect(result.usage.promptTokens).toBe(added.prompt.length);
        }
      } finally {
        await model.close();
      }
    }
  });

  it("alone is what an empty prompt is", async () => {
    const upstream = await oracle.ask({
      file: TINY_R1,
      prompt: "",
      maxTokens: 50,
      flags: ["-c", "2048", "-t", "1", "-tb", "1", ...GREEDY.flags],
    });
    const model = await loadModel(TINY_R1, { contextSize: 2048, threads: 1 });
    try {
      const result = await model.complete("", { maxTokens: 50, ...GREEDY.options }).result();
      expect(upstream.prompt).toEqual([model.tokenizer.bos]);
      expect([...result.tokens]).toEqual(upstream.tokens);
    } finally {
      await model.close();
    }
  });
});

describe("the end of the context", () => {
  it("comes one token later than upstream's, which leaves the last cell empty; the ids before are the same", async () => {
    const flags = ["-c", "256", "-t", "1", "-tb", "1", "--ignore-eos", ...DOCUMENTED.flags];
    const upstream = await oracle.ask({
      file: TINY_R1,
      prompt: PROMPTS["one sum"]!,
      maxTokens: -1,
      flags,
    });
    const model = await loadModel(TINY_R1, { contextSize: 256, threads: 1 });
    try {
      const result = await model
        .complete(PROMPTS["one sum"]!, { ...DOCUMENTED.options, ignoreEos: true, loopGuard: false })
        .result();
      expect(result.finishReason).toBe("length");
      expect(upstream.prompt.length + upstream.tokens.length).toBe(256);
      expect([...result.tokens].slice(0, -1)).toEqual(upstream.tokens);
    } finally {
      await model.close();
    }
  });
});
