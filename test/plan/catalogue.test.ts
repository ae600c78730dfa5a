// The catalogue of quants and distills against the published table and its rule of thumb; runs in
// the test process.
import { describe, expect, it } from "vitest";
import { R1_DISTILLS, R1_LAYERS, R1_QUANTS, ruleOfThumbLayers } from "../../lib/plan/catalogue.js";

describe("the catalogue", () => {
  it("is the published table", () => {
    expect(
      R1_QUANTS.map(({ name, bits, sizeGiB, accuracy, layersOnGpu }) => [
        name,
        bits,
        sizeGiB,
        accuracy,
        ...Object.values(layersOnGpu),
      ]),
    ).toEqual([
      ["UD-IQ1_S", 1.58, 131, "fair", 7, 33, 61],
      ["UD-IQ1_M", 1.73, 158, "good", 5, 26, 57],
      ["UD-IQ2_XXS", 2.22, 183, "better", 4, 22, 49],
      ["UD-Q2_K_XL", 2.51, 212, "best", 2, 19, 32],
    ]);
  });

  it("agrees with the rule of thumb in every cell but the last", () => {
    const differing = R1_QUANTS.flatMap(({ name, sizeGiB, layersOnGpu }) =>
      (
        [
          ["24 GB", 24],
          ["80 GB", 80],
          ["2 x 80 GB", 160],
        ] as const
      )
        .filter(([device, memory]) => ruleOfThumbLayers(memory, sizeGiB) !== layersOnGpu[device])
        .map(([device, memory]) => [name, device, ruleOfThumbLayers(memory, sizeGiB)]),
    );
    expect(differing).toEqual([["UD-Q2_K_XL", "2 x 80 GB", 42]]);
  });

  it("keeps the rule of thumb between none and all layers", () => {
    expect(ruleOfThumbLayers(1, 212)).toBe(0);
    expect(ruleOfThumbLayers(10_000, 131)).toBe(R1_LAYERS);
  });

  it("has distills whose weights follow from their shapes", () => {
    for (const {
      name,
      layers,
      embeddingLength: width,
      feedForwardLength,
      heads,
      headsKv,
      headLength,
      vocabSize,
      parameters,
      variant,
    } of R1_DISTILLS) {
      const kv = headsKv * headLength;
      const biases = variant === "distill-qwen" ? width + 2 * kv : 0;
      const layer =
        2 * width * width + 2 * width * kv + 3 * width * feedForwardLength + 2 * width + biases;
      expect(heads * headLength, name).toBe(width);
      expect(2 * width * vocabSize + width + layers * layer, name).toBe(parameters);
    }
  });

  it("cannot be changed by who reads it", () => {
    expect(Object.isFrozen(R1_QUANTS)).toBe(true);
    expect(
      R1_QUANTS.every((quant) => Object.isFrozen(quant) && Object.isFrozen(quant.layersOnGpu)),
    ).toBe(true);
    expect(R1_DISTILLS.every((distill) => Object.isFrozen(distill))).toBe(true);
  });
});
