// Claims about variants: told from the vocabulary, ids of the file used, deviations from the table
// reported.
import { describe, expect, it } from "vitest";
import type { Role } from "../../lib/base/types.js";
import { ROLE_TEXTS } from "../../lib/template/segment.js";
import { detectVariant, VARIANT_TABLE, type VariantInput } from "../../lib/template/variants.js";

type Known = keyof typeof VARIANT_TABLE;
const ARCHITECTURE: Record<Known, string> = {
  r1: "deepseek2",
  "distill-qwen": "qwen2",
  "distill-llama": "llama",
};

/** The vocabulary facts of a release as the table has it, padding spelt as in the base model. */
function release(variant: Known, change: Partial<Record<Role, number>> = {}): VariantInput {
  const row = VARIANT_TABLE[variant];
  const ids = { ...row.ids, ...change };
  const specialTokens = Object.entries(ids).map(([role, id]) => ({
    id,
    text: role === "pad" ? (row.formerTexts.pad ?? ROLE_TEXTS.pad) : ROLE_TEXTS[role as Role],
    kind: "control",
  }));
  return {
    architecture: ARCHITECTURE[variant],
    vocab: { bos: ids.bos ?? -1, eos: ids.eos ?? -1, pad: ids.pad ?? -1, size: 200_000 },
    specialTokens,
  };
}

describe("the id table", () => {
  it("is the published one", () => {
    const column = (variant: Known): unknown[] =>
      (["think", "endThink", "bos", "eos", "user", "assistant", "pad"] as const).map(
        (role) => VARIANT_TABLE[variant].ids[role],
      );
    expect(column("r1")).toEqual([128798, 128799, 0, 1, 128803, 128804, 2]);
    expect(column("distill-qwen")).toEqual([
      151648, 151649, 151646, 151643, 151644, 151645, 151654,
    ]);
    expect(column("distill-llama")).toEqual([
      128013, 128014, 128000, 128001, 128011, 128012, 128004,
    ]);
  });
});

describe("a release", () => {
  it.each(Object.keys(VARIANT_TABLE) as Known[])(
    "%s is told from its vocabulary, with nothing to report",
    (variant) => {
      const found = detectVariant(release(variant));
      expect(found.variant).toBe(variant);
      expect(found.findings).toEqual([]);
      expect(found.tokens).toMatchObject(VARIANT_TABLE[variant].ids);
      expect(found.tokens.toolSep).toBe(-1);
    },
  );

  it("with other ids keeps its own, and both are reported", () => {
    const found = detectVariant(release("r1", { think: 5, endThink: 6 }));
    expect(found.variant).toBe("r1");
    expect(found.tokens).toMatchObject({ think: 5, endThink: 6, user: 128803 });
    expect(found.findings).toEqual([
      { role: "think", expected: 128798, actual: 5 },
      { role: "endThink", expected: 128799, actual: 6 },
    ]);
  });

  it("with padding = EOS is reported, and the file's padding kept", () => {
    const facts = release("distill-qwen");
    const found = detectVariant({ ...facts, vocab: { ...facts.vocab, pad: 151643 } });
    expect(found.tokens.pad).toBe(151643);
    expect(found.findings).toEqual([{ role: "pad", expected: 151654, actual: 151643 }]);
  });

  it("whose metadata names another BOS than its token texts goes by the texts", () => {
    const facts = release("r1");
    expect(detectVariant({ ...facts, vocab: { ...facts.vocab, bos: 7 } }).tokens.bos).toBe(0);
  });
});

describe("another model", () => {
  it("is other when it has no R1 turn tokens, whatever its architecture", () => {
    const specialTokens = [
      { id: 1, text: "<think>", kind: "user-defined" },
      { id: 2, text: "<|im_start|>", kind: "control" },
    ];
    for (const architecture of ["deepseek2", "qwen2", "llama"]) {
      const found = detectVariant({
        architecture,
        vocab: { bos: -1, eos: 2, pad: -1, size: 10 },
        specialTokens,
      });
      expect(found).toMatchObject({
        variant: "other",
        tokens: { think: 1, endThink: -1, user: -1, eos: 2, bos: -1 },
        findings: [],
      });
    }
  });

  it("is other when the turn tokens stand in an architecture that no release has", () => {
    expect(detectVariant({ ...release("r1"), architecture: "mamba" }).variant).toBe("other");
  });
});
