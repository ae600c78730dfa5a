// The commands for model files: what they write, say and end with; starts the built program in
// child processes.
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sameBytes } from "../fixtures/gguf-tools.js";
import { temporaryFolder, tinyModelF16 } from "../fixtures/gguf-temp.js";
import { run, tinyModel } from "./program.js";

describe("r1-native inspect", () => {
  it("shows what the embedded model is", async () => {
    const { code, stdout } = await run(["inspect", tinyModel]);
    expect(code).toBe(0);
    for (const text of [
      "tiny-r1",
      "deepseek2, r1, attention mla",
      "6.60 M, 3.06 M of them active per token",
      "q8_0",
      "deepseek2.block_count",
    ]) {
      expect(stdout).toContain(text);
    }
  });

  it("gives everything as JSON", async () => {
    const { code, stdout } = await run(["inspect", tinyModel, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      architecture: "deepseek2",
      parts: { expected: 1 },
      problems: [],
    });
  });

  it("ends with 1 and says why when the file cannot be loaded", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "short.gguf");
    await writeFile(path, await readFile(tinyModel));
    await truncate(path, 1_000_000);
    const { code, stdout } = await run(["inspect", path]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/problem: .*cut short.*FILE_TRUNCATED/);
  });

  it("says in one line that a file is none, without a stack", async () => {
    const { code, stderr } = await run(["inspect", "package.json"]);
    expect(code).toBe(1);
    expect(stderr).toContain("not a GGUF file");
    expect(stderr).not.toContain("    at ");
  });
});

describe("r1-native split and merge", () => {
  it("take a model apart and together again, and write a Modelfile", async () => {
    const folder = await temporaryFolder();
    const split = await run(["split", tinyModelF16, join(folder, "m"), "--max-size", "4M"]);
    expect(split.code).toBe(0);
    const parts = split.stdout.trim().split("\n");
    expect(parts.length).toBeGreaterThan(2);
    const out = join(folder, "merged.gguf");
    const merge = await run(["merge", parts[0] ?? "", out, "--ollama", "r1"]);
    expect(merge.code).toBe(0);
    expect(merge.stderr).toContain(`ollama create r1 -f ${join(folder, "r1.Modelfile")}`);
    const again = await run(["split", out, join(folder, "n"), "--max-size", "4M"]);
    for (const [i, part] of again.stdout.trim().split("\n").entries())
      expect(await sameBytes(part, parts[i] ?? "")).toBe(true);
  });

  it("refuse to overwrite with the name of the flag that would, and take it", async () => {
    const folder = await temporaryFolder();
    const { stdout } = await run(["split", tinyModel, join(folder, "m")]);
    const first = stdout.trim().split("\n")[0] ?? "";
    await writeFile(join(folder, "out.gguf"), "precious");
    const refused = await run(["merge", first, join(folder, "out.gguf")]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("FILE_EXISTS");
    expect(await readFile(join(folder, "out.gguf"), "utf8")).toBe("precious");
    expect((await run(["merge", first, join(folder, "out.gguf"), "--force"])).code).toBe(0);
  });

  it.each([
    [["split", tinyModel, "x", "--max-size", "4X"], "--max-size"],
    [["split", tinyModel, "x", "--max-tensors", "0"], "--max-tensors"],
    [["merge", tinyModel], "out"],
    [["quantize", tinyModel, "x.gguf", "Q9"], "type"],
  ])("end with 2 on wrong usage: %s", async (args, word) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(word);
    expect(stderr).not.toContain("    at ");
  });
});

describe("r1-native quantize and quants", () => {
  it("tells the size beforehand, then writes it", async () => {
    const folder = await temporaryFolder();
    const out = join(folder, "q4.gguf");
    const dry = await run(["quantize", tinyModelF16, out, "Q4_K_M", "--dry-run"]);
    expect(dry.code).toBe(0);
    expect(dry.stderr).toMatch(/would write: 12\.6 MiB -> 3\.97 MiB/);
    expect(await readdir(folder)).toEqual([]);
    const real = await run([
      "quantize",
      tinyModelF16,
      out,
      "Q4_K_M",
      "--tensor-type",
      "ffn_down_exps=q8_0",
    ]);
    expect(real.code).toBe(0);
    expect(real.stderr).toMatch(/q8_0 +\d+/);
    expect((await run(["inspect", out])).code).toBe(0);
  });

  it("says in flags what is missing: leave to quantise once more, values for few bits", async () => {
    const out = join(await temporaryFolder(), "x.gguf");
    const again = await run(["quantize", tinyModel, out, "Q4_0"]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("(option --allow-requantize)");
    const few = await run(["quantize", tinyModelF16, out, "IQ2_XXS"]);
    expect(few.code).toBe(2);
    expect(few.stderr).toContain(
      "Give an --imatrix computed on this model, or another type (options --tensor-type, --token-embedding-type, --output-tensor-type)",
    );
    const broken = await run(["quantize", tinyModelF16, out, "Q4_0", "--tensor-type", "(=q8_0"]);
    expect(broken.stderr).toContain("--tensor-type contains the pattern");
  });

  it("shows the catalogue, with the rule of thumb where the table differs from it", async () => {
    const { code, stdout } = await run(["quants"]);
    expect(code).toBe(0);
    expect(stdout).toContain("32 (rule: 42)");
    const json = JSON.parse((await run(["quants", "--json"])).stdout) as {
      quants: unknown[];
      distills: unknown[];
    };
    expect([json.quants.length, json.distills.length]).toEqual([4, 6]);
  });
});
