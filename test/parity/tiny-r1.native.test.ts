// complete() gives the ids that upstream's llama-completion gives, on the embedded model, for
// prompts of many kinds.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../lib/index.js";
import type { Model } from "../../lib/index.js";
import { DOCUMENTED, GREEDY, TINY_R1, Tally, compare, differences } from "./compare.js";
import { Oracle } from "./oracle.js";
import { PROMPTS } from "./prompts.js";

const oracle = new Oracle();
const tally = new Tally();
afterAll(() => {
  oracle.close();
  tally.print(`tiny-r1, ${Object.keys(PROMPTS).length} prompts`);
});

describe.each(["f16", "q4_0"] as const)("with K and V in %s", (type) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(TINY_R1, {
      contextSize: 8192,
      threads: 1,
      cacheTypeK: type,
      prefixCache: false,
    });
  });
  afterAll(() => model.close());

  const flags = ["-c", "8192", "-t", "1", "-tb", "1", "-ctk", type, "-ctv", type];

  // Long prompts take a while where other programs have the cores.
  it.each([GREEDY, DOCUMENTED])(
    "every id equals upstream's: $name",
    { timeout: 300_000 },
    async (setting) => {
      const comparisons = await compare(
        oracle,
        { model, file: TINY_R1, flags },
        PROMPTS,
        setting,
        400,
      );
      tally.add(comparisons);
      expect(differences(comparisons)).toEqual([]);
    },
  );
});
