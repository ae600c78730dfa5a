// The ids of other kinds of file equal upstream's: R1 without latent attention, unquantised
// weights, and a vocabulary large enough for the top-k prefilter.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../lib/index.js";
import type { Model } from "../../lib/index.js";
import { DOCUMENTED, GREEDY, Tally, compare, differences } from "./compare.js";
import type { Setting } from "./compare.js";
import { writeLargeVocabularyModel } from "./large-vocabulary.js";
import { Oracle } from "./oracle.js";
import { PROMPTS, SHORT_PROMPTS } from "./prompts.js";

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "r1-parity-models-"));
const oracle = new Oracle();
const tally = new Tally();
afterAll(() => {
  oracle.close();
  rmSync(folder, { recursive: true, force: true });
  tally.print("other models");
});

const some = Object.fromEntries(
  ["one sum", "letters in a word", "chinese", "json", "two turns", "over 512 tokens"].map(
    (name) => [name, PROMPTS[name]!],
  ),
);

describe("an R1 file without latent attention, K in q4_0 alone as in the documented command", () => {
  const file = join(folder, "legacy.gguf");
  let model: Model;
  beforeAll(async () => {
    execFileSync(process.execPath, [
      root("scripts/make-synthetic.mjs"),
      "--shape",
      "deepseek2-legacy",
      "--out",
      file,
    ]);
    model = await loadModel(file, {
      contextSize: 2048,
      threads: 1,
      cacheTypeK: "q4_0",
      prefixCache: false,
    });
  });
  afterAll(() => model.close());

  it.each([GREEDY, DOCUMENTED])("every id equals upstream's: $name", async (setting) => {
    expect(model.info).toMatchObject({ isMla: false, cache: { typeK: "q4_0", typeV: "f16" } });
    const flags = ["-c", "2048", "-t", "1", "-tb", "1", "--cache-type-k", "q4_0"];
    const comparisons = await compare(oracle, { model, file, flags }, some, setting, 200);
    tally.add(comparisons);
    expect(differences(comparisons)).toEqual([]);
  });
});

describe("the embedded model's unquantised weights", () => {
  const file = root("models/tiny-r1-f16.gguf");
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(file, { contextSize: 2048, threads: 1, prefixCache: false });
  });
  afterAll(() => model.close());

  it.each([GREEDY, DOCUMENTED])("every id equals upstream's: $name", async (setting) => {
    const comparisons = await compare(
      oracle,
      { model, file, flags: ["-c", "2048", "-t", "1", "-tb", "1"] },
      some,
      setting,
      200,
    );
    tally.add(comparisons);
    expect(differences(comparisons)).toEqual([]);
  });
});

describe("a vocabulary of 151,936 tokens, where top-k is taken from a prefiltered part of the logits", () => {
  const file = join(folder, "large-vocabulary.gguf");
  const prompts = Object.fromEntries(
    ["one sum", "emoji", "python"].map((name) => [name, SHORT_PROMPTS[name]!]),
  );
  let model: Model;
  beforeAll(async () => {
    await writeLargeVocabularyModel(file);
    model = await loadModel(file, { contextSize: 1024, threads: 1, prefixCache: false });
  });
  afterAll(() => model.close());

  const settings: Setting[] = [
    DOCUMENTED,
    {
      name: "temperature 0.6 and top-k 40 alone",
      options: { temperature: 0.6, topK: 40, topP: 1, minP: 0, seed: 7 },
      flags: "--temp 0.6 --top-k 40 --top-p 1 --min-p 0 --seed 7".split(" "),
    },
    {
      name: "top-k 128, the most that is prefiltered",
      options: { temperature: 3, topK: 128, topP: 1, minP: 0, seed: 8 },
      flags: "--temp 3 --top-k 128 --top-p 1 --min-p 0 --seed 8".split(" "),
    },
    {
      name: "top-k 1000",
      options: { temperature: 3, topK: 1000, seed: 9 },
      flags: "--temp 3 --top-k 1000 --seed 9".split(" "),
    },
    GREEDY,
  ];

  it.each(settings)("every one of 240 ids equals upstream's: $name", async (setting) => {
    const compared = await compare(
      oracle,
      { model, file, flags: ["-c", "1024", "-t", "1", "-tb", "1"] },
      prompts,
      setting,
      80,
    );
    // This vocabulary adds no BOS, here and there.
    const comparisons = compared.map((one) => ({ ...one, prompt: one.prompt.slice(1) }));
    tally.add(comparisons);
    expect(differences(comparisons)).toEqual([]);
    if (setting !== GREEDY)
      expect(new Set(comparisons.flatMap(({ tokens }) => tokens)).size).toBeGreaterThan(150);
  });
});
