// Each sampling option chooses the ids that upstream's flag of the same meaning chooses, one option
// at a time.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../lib/index.js";
import type { GenerateOptions, Model } from "../../lib/index.js";
import { TINY_R1, Tally, compare, differences } from "./compare.js";
import type { Setting } from "./compare.js";
import { Oracle } from "./oracle.js";
import { SHORT_PROMPTS } from "./prompts.js";

const oracle = new Oracle();
const tally = new Tally();
afterAll(() => {
  oracle.close();
  tally.print("one sampling option at a time");
});

// A warm start, so that the options have something to choose from, and end tokens forbidden, so
// that they choose often.
const setting = (name: string, options: GenerateOptions, ...flags: string[]): Setting => ({
  name,
  options: { temperature: 1.2, topK: 0, topP: 1, minP: 0, seed: 42, ignoreEos: true, ...options },
  flags: [
    "--temp",
    "1.2",
    "--top-k",
    "0",
    "--top-p",
    "1",
    "--min-p",
    "0",
    "--seed",
    "42",
    "--ignore-eos",
    ...flags,
  ],
});

const SETTINGS = [
  setting("the whole distribution", {}),
  setting("temperature 0.3", { temperature: 0.3 }, "--temp", "0.3"),
  setting("top-k 1", { topK: 1 }, "--top-k", "1"),
  setting("top-k 5", { topK: 5 }, "--top-k", "5"),
  setting("top-k 200", { topK: 200 }, "--top-k", "200"),
  setting("top-p 0.8", { topP: 0.8 }, "--top-p", "0.8"),
  setting("min-p 0.1", { minP: 0.1 }, "--min-p", "0.1"),
  setting("typical 0.7", { typicalP: 0.7 }, "--typical", "0.7"),
  setting(
    "XTC 0.5 above 0.05",
    { xtc: { probability: 0.5, threshold: 0.05 } },
    "--xtc-probability",
    "0.5",
    "--xtc-threshold",
    "0.05",
  ),
  setting("top-n-sigma 1", { topNSigma: 1 }, "--top-nsigma", "1"),
  setting("repeat penalty 1.3", { repeatPenalty: 1.3 }, "--repeat-penalty", "1.3"),
  setting("frequency penalty 0.5", { frequencyPenalty: 0.5 }, "--frequency-penalty", "0.5"),
  setting(
    "presence penalty 0.7 over 20 tokens",
    { presencePenalty: 0.7, penaltyLastN: 20 },
    "--presence-penalty",
    "0.7",
    "--repeat-last-n",
    "20",
  ),
  setting("DRY 0.8", { dry: { multiplier: 0.8 } }, "--dry-multiplier", "0.8"),
  setting(
    "DRY with breakers of its own",
    {
      dry: {
        multiplier: 1,
        base: 1.5,
        allowedLength: 1,
        penaltyLastN: 128,
        sequenceBreakers: ["=", "."],
      },
    },
    ...[
      "--dry-multiplier",
      "1",
      "--dry-base",
      "1.5",
      "--dry-allowed-length",
      "1",
      "--dry-penalty-last-n",
      "128",
    ],
    ...["--dry-sequence-breaker", "=", "--dry-sequence-breaker", "."],
  ),
  setting("Mirostat", { mirostat: { version: 1 } }, "--mirostat", "1"),
  setting(
    "Mirostat 2.0",
    { mirostat: { version: 2, tau: 3, eta: 0.2 } },
    "--mirostat",
    "2",
    "--mirostat-ent",
    "3",
    "--mirostat-lr",
    "0.2",
  ),
  setting(
    "dynamic temperature",
    { dynamicTemperature: { range: 0.9, exponent: 1.5 } },
    ...["--dynatemp-range", "0.9", "--dynatemp-exp", "1.5"],
  ),
  setting(
    "a biased and a forbidden token",
    { logitBias: { 56: 3, 57: -Infinity } },
    "--logit-bias",
    "56+3",
    "--logit-bias",
    "57-inf",
  ),
  setting(
    "llama.cpp's defaults",
    { temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 },
    ..."--temp 0.8 --top-k 40 --top-p 0.95 --min-p 0.05".split(" "),
  ),
  setting(
    "another order",
    { topK: 20, minP: 0.02, samplers: ["temperature", "minP", "topK"] },
    ..."--top-k 20 --min-p 0.02 --samplers temperature;min_p;top_k".split(" "),
  ),
  setting(
    "everything at once",
    {
      topK: 60,
      topP: 0.97,
      minP: 0.01,
      typicalP: 0.95,
      repeatPenalty: 1.1,
      dry: { multiplier: 0.5 },
      xtc: { probability: 0.2, threshold: 0.1 },
      topNSigma: 3,
    },
    ..."--top-k 60 --top-p 0.97 --min-p 0.01 --typical 0.95 --repeat-penalty 1.1 --dry-multiplier 0.5 --xtc-probability 0.2 --xtc-threshold 0.1 --top-nsigma 3".split(
      " ",
    ),
  ),
];

describe("each sampler alone", () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(TINY_R1, { contextSize: 2048, threads: 1, prefixCache: false });
  });
  afterAll(() => model.close());

  const names = ["one sum", "letters spelt", "chinese", "no markup at all"] as const;
  const prompts = Object.fromEntries(names.map((name) => [name, SHORT_PROMPTS[name]!]));

  it.each(SETTINGS)("chooses as upstream does: $name", async (given) => {
    const comparisons = await compare(
      oracle,
      { model, file: TINY_R1, flags: ["-c", "2048", "-t", "1", "-tb", "1"] },
      prompts,
      given,
      150,
    );
    tally.add(comparisons);
    expect(differences(comparisons)).toEqual([]);
    expect(comparisons.every(({ tokens }) => tokens.length === 150)).toBe(true);
  });
});
