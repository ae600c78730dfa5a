// `r1-native doctor`: what it shows, writes and ends with; starts the built program in child
// processes.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { changedModel, setPair } from "../fixtures/gguf-model.js";
import { temporaryFolder } from "../fixtures/gguf-temp.js";
import { run, tinyModel } from "./program.js";

describe("r1-native doctor", () => {
  it("ends with 0 on a sound file, and shows ids of table and file", async () => {
    const { code, stdout, stderr } = await run(["doctor", tinyModel]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/variant +r1\n/);
    expect(stdout).toMatch(/user turn +<｜User｜> +128803 +3 +user-defined/);
    expect(stdout).toMatch(/note: .*\[double-bos\]/);
    expect(stdout).toMatch(/^0 errors, 0 warnings, \d notes$/m);
  });

  it("ends with 0 on a warning and with 1 on an error", async () => {
    const folder = await temporaryFolder();
    const padding = await changedModel(join(folder, "padding.gguf"), (parts) =>
      setPair(parts, "tokenizer.ggml.padding_token_id", "u32", 1),
    );
    const warned = await run(["doctor", padding]);
    expect(warned.code).toBe(0);
    expect(warned.stdout).toMatch(/^warning: Padding is EOS.*\[padding-is-eos\]$/m);
    expect(warned.stdout).toContain("--fix can: Set tokenizer.ggml.padding_token_id to 2");
    const gating = await changedModel(join(folder, "gating.gguf"), (parts) =>
      parts.pairs.delete("deepseek2.expert_gating_func"),
    );
    const failed = await run(["doctor", gating]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(
      /^error: deepseek2\.expert_gating_func is missing.*\[gating-missing\]$/m,
    );
  });

  it("prints the diagnosis as JSON and nothing else", async () => {
    const { code, stdout } = await run(["doctor", tinyModel, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      variant: "r1",
      expertGating: "sigmoid",
      findings: expect.any(Array) as unknown,
    });
  });

  it("--fix writes a copy that has no error any more, tells the changes, and never overwrites", async () => {
    const folder = await temporaryFolder();
    const bad = await changedModel(join(folder, "bad.gguf"), (parts) => {
      parts.pairs.delete("deepseek2.expert_gating_func");
      setPair(parts, "tokenizer.ggml.padding_token_id", "u32", 1);
    });
    const input = await readFile(bad);
    const out = join(folder, "good.gguf");
    const fixed = await run(["doctor", bad, "--fix", out]);
    // What was wrong is put right in the copy.
    expect(fixed.code).toBe(0);
    expect(fixed.stderr).toContain("deepseek2.expert_gating_func: absent -> 2");
    expect(fixed.stderr).toContain("tokenizer.ggml.padding_token_id: 1 -> 2");
    expect((await run(["doctor", out])).stdout).toMatch(/^0 errors, 0 warnings/m);
    expect((await run(["doctor", bad, "--fix", out])).stderr).toContain("FILE_EXISTS");
    for (const args of [[], ["--force"]])
      expect(await run(["doctor", bad, "--fix", bad, ...args])).toMatchObject({ code: 2 });
    expect((await readFile(bad)).equals(input)).toBe(true);
    const nothing = await run(["doctor", out, "--fix", join(folder, "x.gguf")]);
    expect([nothing.code, nothing.stderr]).toEqual([
      0,
      expect.stringContaining("no file was written"),
    ]);
    expect((await readdir(folder)).sort()).toEqual(["bad.gguf", "good.gguf"]);
  });

  it("--fix ends with 1 when an error is left that a copy cannot mend", async () => {
    const folder = await temporaryFolder();
    const bad = await changedModel(join(folder, "bad.gguf"), (parts) => {
      setPair(parts, "tokenizer.ggml.padding_token_id", "u32", 1);
      setPair(parts, "tokenizer.ggml.eot_token_id", "u32", 6);
    });
    const { code, stdout } = await run(["doctor", bad, "--fix", join(folder, "copy.gguf")]);
    expect(code).toBe(1);
    expect(stdout).toContain("[end-tokens]");
  });

  it("writes no control characters of a file to the terminal", async () => {
    const bad = await changedModel(join(await temporaryFolder(), "bad.gguf"), (parts) =>
      setPair(parts, "tokenizer.ggml.pre", "str", "\u001b[31mred\u0007"),
    );
    const { stdout } = await run(["doctor", bad]);
    expect(stdout).toContain("\\x1b[31mred\\x07");
    // eslint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\u0007\u001b]/);
  });

  it("says in one line that a file is none, without a stack", async () => {
    const { code, stderr } = await run(["doctor", "package.json"]);
    expect(code).toBe(1);
    expect(stderr).toContain("not a GGUF file");
    expect(stderr).not.toContain("    at ");
  });
});
