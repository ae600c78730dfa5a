// Broken model files through the public API, in child processes: each loads or fails with a typed
// error; none hangs, none ends the process. Prints the table of outcomes. Runs children of the test
// process; needs dist/ and the addon.
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { R1_ERROR_CODES } from "../../../lib/base/errors.js";
import { temporaryFolder, tinyModel, tinyModelF16 } from "../../fixtures/gguf-temp.js";
import { outcomeTable, runFileWork, runMutants, type Outcome } from "./bad-input/run.mjs";

const known = new Set<string>([
  "ok",
  ...R1_ERROR_CODES,
  ...R1_ERROR_CODES.map((code) => `loaded, then ${code}`),
]);

/** Outcomes that must not be: crashes, hangs, errors that are none of ours, faults of our own. */
function unexpected(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(({ outcome }) => !known.has(outcome) || outcome.endsWith("INTERNAL"));
}

describe("broken model files", () => {
  it("360 broken copies of the embedded model load or fail with a typed error", async () => {
    const folder = await temporaryFolder();
    const outcomes = await runMutants(tinyModel, join(folder, "mutant.gguf"), 0, 360);
    console.log(outcomeTable(outcomes));
    expect(outcomes).toHaveLength(360);
    expect(unexpected(outcomes)).toEqual([]);
    // Broken weights are no broken file: most of those copies load, and generation must survive
    // them.
    expect(outcomes.filter(({ outcome }) => outcome === "ok").length).toBeGreaterThan(80);
  });

  it("120 whole models with wrong hyperparameters, types and shapes load or fail with a typed error", async () => {
    const folder = await temporaryFolder();
    const outcomes = await runMutants(
      tinyModelF16,
      join(folder, "mutant.gguf"),
      0,
      120,
      "structure",
    );
    console.log(outcomeTable(outcomes));
    expect(outcomes).toHaveLength(120);
    expect(unexpected(outcomes)).toEqual([]);
  });

  it("12 works on files, each with 24 broken models, parts or matrices, end with a typed error, leave nothing, and end no process", async () => {
    const outcomes = await runFileWork(tinyModelF16, join(await temporaryFolder(), "work"), 0, 24);
    console.log(outcomeTable(outcomes));
    expect(outcomes).toHaveLength(12 * 24);
    expect(unexpected(outcomes)).toEqual([]);
    // No work takes everything, and none refuses everything, but for the one that computes with the
    // broken weights.
    for (const kind of new Set(outcomes.map((one) => one.kind))) {
      const good = outcomes.filter((one) => one.kind === kind && one.outcome === "ok").length;
      expect([good > 0 || kind === "imatrix", good < 24], kind).toEqual([true, true]);
    }
  });

  it("copies in which two tokens are the same behind a NUL byte, which once ended the process, are refused", async () => {
    const folder = await temporaryFolder();
    const outcomes: Outcome[] = [];
    for (const seed of [2799, 3483, 3507, 3963, 5307])
      outcomes.push(...(await runMutants(tinyModel, join(folder, "m.gguf"), seed, seed + 1)));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(new Array(5).fill("GGUF_INVALID"));
  });

  it("a broken file in a folder with spaces and signs of other alphabets is refused like any other", async () => {
    const folder = join(await temporaryFolder(), "модель 模型 ｜");
    await mkdir(folder);
    await copyFile(tinyModel, join(folder, "good.gguf"));
    const outcomes = await runMutants(
      join(folder, "good.gguf"),
      join(folder, "mutant ü.gguf"),
      0,
      24,
    );
    expect(unexpected(outcomes)).toEqual([]);
  });
});
