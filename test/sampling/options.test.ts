// Claims about the sampling options: defaults, ranges, refusals, and that nothing is left open for
// native code.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { normalizeSampling, SAMPLERS, SAMPLING_KEYS } from "../../lib/sampling/options.js";
import { presets } from "../../lib/sampling/presets.js";
import { MAX_SEED, SAMPLING_TABLE } from "../../lib/sampling/table.js";

/** Nests a value under a dotted name. */
function at(name: string, value: unknown): Record<string, unknown> {
  const [group, member] = name.split(".") as [string, string | undefined];
  return { [group]: member === undefined ? value : { [member]: value } };
}

function codeOf(options: Record<string, unknown>): string | undefined {
  try {
    normalizeSampling(options, "options");
    return undefined;
  } catch (error) {
    return isR1Error(error) ? error.code : String(error);
  }
}

describe("the defaults", () => {
  it("are the documented command's, but for a random seed", () => {
    const { seed, ...rest } = normalizeSampling({}, "options");
    const { seed: documented, ...command } = normalizeSampling(
      { temperature: 0.6, minP: 0.05, seed: 3407 },
      "options",
    );
    expect(rest).toEqual(command);
    expect(documented).toBe(3407);
    expect(Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED).toBe(true);
    expect(rest).toMatchObject({
      samplers: [
        "penalties",
        "dry",
        "top_n_sigma",
        "top_k",
        "typ_p",
        "top_p",
        "min_p",
        "xtc",
        "temperature",
      ],
      temperature: 0.6,
      topK: 40,
      topP: 0.95,
      minP: 0.05,
      typicalP: 1,
      topNSigma: -1,
      xtcProbability: 0,
      repeatPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      penaltyLastN: 64,
      dryMultiplier: 0,
      mirostat: 0,
      dynatempRange: 0,
      minKeep: 0,
    });
  });

  it("name every field of the native configuration", () => {
    const fields = Object.keys(normalizeSampling({}, "options")).sort();
    const named = [
      ...SAMPLING_TABLE.map((row) => row.native),
      "samplers",
      "seed",
      "drySequenceBreakers",
      "logitBiasTokens",
      "logitBiasValues",
    ].sort();
    expect(fields).toEqual(named);
  });

  it("have seeds that differ", () => {
    const seeds = new Set(Array.from({ length: 100 }, () => normalizeSampling({}, "options").seed));
    expect(seeds.size).toBeGreaterThan(95);
  });

  it("are what the presets say", () => {
    const plain = normalizeSampling({ seed: 3407 }, "options");
    expect(normalizeSampling(presets.llamaCli, "options")).toEqual(plain);
    expect(normalizeSampling({ ...presets.r1, seed: 3407 }, "options")).toEqual(plain);
    expect(normalizeSampling(presets.greedy, "options").temperature).toBe(0);
  });
});

describe("the table", () => {
  it.each(SAMPLING_TABLE)("takes $name at both ends of its range and nothing beyond", (row) => {
    for (const value of [row.min, row.max, row.default]) {
      expect(normalizeSampling(at(row.name, value), "options")[row.native]).toBe(value);
    }
    const wrong: unknown[] = [
      row.min - 1,
      row.max + 1,
      Number.NaN,
      Infinity,
      -Infinity,
      "1",
      null,
      {},
      true,
      1n,
    ];
    if (row.integer) wrong.push(row.min + 0.5);
    for (const value of wrong)
      expect(codeOf(at(row.name, value)), String(value)).toBe("INVALID_ARGUMENT");
  });

  it("names the option and the range in the refusal", () => {
    expect(() => normalizeSampling({ topP: 2 }, "options")).toThrow(
      "Expected a number from 0 to 1 for `topP` but received 2.",
    );
    expect(() => normalizeSampling({ xtc: { probability: 7 } }, "options")).toThrow(
      "Expected a number from 0 to 1 for `xtc.probability` but received 7.",
    );
    expect(() => normalizeSampling({ logitBias: { nine: 1 } }, "options")).toThrow(
      'Expected token ids from 0 to 2147483647 as keys for `logitBias` but received "nine".',
    );
  });

  it("covers every key", () => {
    const tops = new Set([
      ...SAMPLING_TABLE.map((row) => row.name.split(".")[0]),
      "seed",
      "samplers",
      "logitBias",
    ]);
    expect([...tops].sort()).toEqual([...SAMPLING_KEYS].sort());
  });
});

describe("names", () => {
  it("are refused when misspelt, with the nearest right one", () => {
    expect(() => normalizeSampling({ temprature: 1 }, "options")).toThrow(
      "Did you mean `temperature`?",
    );
    expect(() => normalizeSampling({ top_p: 1 }, "options")).toThrow("Did you mean `topP`?");
    expect(() => normalizeSampling({ dry: { multipler: 1 } }, "options")).toThrow(
      "Did you mean `multiplier`?",
    );
    expect(codeOf({ maxTokens: 1 })).toBe("UNKNOWN_OPTION");
  });
});

describe("the other options", () => {
  it("map sampler names in the order given", () => {
    expect(
      normalizeSampling({ samplers: ["minP", "typicalP", "temperature"] }, "options").samplers,
    ).toEqual(["min_p", "typ_p", "temperature"]);
    expect(normalizeSampling({ samplers: [] }, "options").samplers).toEqual([]);
    expect(codeOf({ samplers: ["min_p"] })).toBe("INVALID_ARGUMENT");
    expect(codeOf({ samplers: ["minP", "minP"] })).toBe("INVALID_ARGUMENT");
    expect(codeOf({ samplers: "minP" })).toBe("INVALID_ARGUMENT");
  });

  it("take a bias as a Map or an object, and -Infinity as a ban", () => {
    const map = normalizeSampling(
      {
        logitBias: new Map([
          [5, 2],
          [7, -Infinity],
        ]),
      },
      "options",
    );
    const record = normalizeSampling({ logitBias: { 5: 2, 7: -Infinity } }, "options");
    for (const { logitBiasTokens, logitBiasValues } of [map, record]) {
      expect([...logitBiasTokens]).toEqual([5, 7]);
      expect([...logitBiasValues]).toEqual([2, -Infinity]);
    }
    for (const logitBias of [
      { 5: Infinity },
      { 5: Number.NaN },
      { x: 1 },
      { "-1": 1 },
      { "1.5": 1 },
      new Map([[-1, 1]]),
      [1],
      "x",
    ]) {
      expect(codeOf({ logitBias }), JSON.stringify(logitBias)).toBe("INVALID_ARGUMENT");
    }
  });

  it("take seeds below llama.cpp's own word for a random one", () => {
    expect(normalizeSampling({ seed: MAX_SEED }, "options").seed).toBe(4_294_967_294);
    for (const seed of [-1, 4_294_967_295, 1.5, "3407"])
      expect(codeOf({ seed })).toBe("INVALID_ARGUMENT");
  });

  it("hold DRY's sequence breakers to what llama.cpp does not cut", () => {
    expect(
      normalizeSampling({ dry: { sequenceBreakers: ["。"] } }, "options").drySequenceBreakers,
    ).toEqual(["。"]);
    for (const sequenceBreakers of [
      [""],
      ["x".repeat(41)],
      ["是".repeat(14)],
      Array(65).fill("x"),
      "x",
    ])
      expect(codeOf({ dry: { sequenceBreakers } })).toBe("INVALID_ARGUMENT");
  });
});

describe("the result", () => {
  it("is frozen, complete and numeric whatever comes in, or a typed error", () => {
    const value = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.string(),
      fc.constant(undefined),
      fc.constant(null),
      fc.boolean(),
      fc.object({ maxDepth: 1 }),
    );
    const key = fc.constantFrom<string>(...SAMPLING_KEYS);
    fc.assert(
      fc.property(fc.dictionary(key, value), (options) => {
        try {
          const made = normalizeSampling(options, "options");
          expect(Object.isFrozen(made)).toBe(true);
          for (const row of SAMPLING_TABLE) expect(Number.isFinite(made[row.native])).toBe(true);
          expect(
            made.samplers.every((name) => (Object.values(SAMPLERS) as string[]).includes(name)),
          ).toBe(true);
        } catch (error) {
          if (!isR1Error(error)) throw error;
          expect(["INVALID_ARGUMENT", "UNKNOWN_OPTION"]).toContain(error.code);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("takes undefined for the default", () => {
    const options = Object.fromEntries(SAMPLING_KEYS.map((key) => [key, undefined]));
    expect({ ...normalizeSampling(options, "options"), seed: 0 }).toEqual({
      ...normalizeSampling({}, "options"),
      seed: 0,
    });
  });
});
