// Claims about `tensorOverrides`: what reaches llama.cpp matches the same tensors, whatever the
// pattern, and no pattern holds anything up.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizeLoad } from "../../lib/weights/normalize-load.js";
import { resolveOverrides } from "../../lib/weights/tensor-overrides.js";

const KINDS = ["attn_q.weight", "ffn_up_exps.weight", "ffn_down_exps.weight", "attn_norm.weight"];
const NAMES = [
  "token_embd.weight",
  "output.weight",
  "odd(name)[x].*",
  ...Array.from({ length: 12 }, (_, i) =>
    KINDS.filter((kind) => i > 2 || !kind.includes("exps")).map((kind) => `blk.${i}.${kind}`),
  ).flat(),
];

/** What llama.cpp does: the first pattern that is found in a name. */
const place = (name: string, overrides: readonly { pattern: string; buffer: string }[]) =>
  overrides.find(({ pattern }) => new RegExp(pattern).test(name))?.buffer;

const PIECES = [
  "blk",
  "\\.",
  ".",
  "[0-9]+",
  "(1|2|10)",
  "ffn_",
  "(up|down)",
  ".*",
  "exps",
  "^",
  "$",
];

describe("tensorOverrides", () => {
  it("mean the same as the patterns themselves, the first that matches counting", async () => {
    const pattern = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 6 });
    const entry = fc.record({
      pattern: pattern.map((pieces) => pieces.join("")),
      buffer: fc.constantFrom("CPU", "GPU0"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 4 }), async (overrides) => {
        const { overrides: exact, matched } = await resolveOverrides(NAMES, overrides, undefined);
        for (const name of NAMES) {
          expect(place(name, exact)).toBe(place(name, overrides));
          expect(matched.has(name)).toBe(place(name, overrides) !== undefined);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("reach llama.cpp as few plain patterns of known names", async () => {
    const resolve = async (pattern: string) =>
      (await resolveOverrides(NAMES, [{ pattern, buffer: "CPU" }], undefined)).overrides.map(
        (override) => override.pattern,
      );
    expect(await resolve("exps")).toEqual([
      "^blk\\.[0-9]+\\.ffn_up_exps\\.weight$",
      "^blk\\.[0-9]+\\.ffn_down_exps\\.weight$",
    ]);
    expect(await resolve("\\.(4|5)\\.ffn_up")).toEqual(["^blk\\.(4|5)\\.ffn_up_exps\\.weight$"]);
    expect(await resolve("odd")).toEqual(["^odd\\(name\\)\\[x\\]\\.\\*$"]);
    expect(await resolve("nothing like it")).toEqual(["^$"]);
  });

  it.each([
    "(.*)*(.*)*(.*)*(.*)*ZZZ",
    "(a+)+$",
    "(x+x+)+y",
    "(.|.)*Z",
    "((a{0,30}){0,30})Z",
    "(\\w*)*!",
  ])("never hold the event loop up: %s", async (pattern) => {
    const start = performance.now();
    await resolveOverrides(
      Array.from({ length: 300 }, (_, i) => `${"a".repeat(50)}${i}`),
      [{ pattern, buffer: "CPU" }],
      undefined,
    );
    // Seen: some milliseconds; backtracking would take for ever.
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("end with the signal's reason when it aborts", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const names = Array.from({ length: 50_000 }, (_, i) => `${"a".repeat(50)}${i}`);
    const work = resolveOverrides(
      names,
      [{ pattern: "((a{0,30}){0,30})Z", buffer: "CPU" }],
      controller.signal,
    );
    setTimeout(() => controller.abort(reason), 20);
    await expect(work).rejects.toBe(reason);
  });

  it.each([
    "(",
    "[",
    "a{2,1}",
    "(?=a)",
    "(a)\\1",
    "(?<!a)b",
    "*",
    "a**",
    "x{5000}",
    "((a{100}){100}){100}",
  ])("that are no pattern are refused: %s", async (pattern) => {
    await expect(
      resolveOverrides(NAMES, [{ pattern, buffer: "CPU" }], undefined),
    ).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("are at most 512 patterns of 1,000 characters", () => {
    const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error;
    expect(() => normalizeLoad({ tensorOverrides: { ["(".repeat(60_000)]: "CPU" } })).toThrow(
      refused,
    );
    expect(() =>
      normalizeLoad({
        tensorOverrides: Array.from({ length: 513 }, () => ({ pattern: "x", buffer: "CPU" })),
      }),
    ).toThrow(refused);
  });
});
