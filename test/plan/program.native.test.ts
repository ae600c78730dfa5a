// `r1-native plan` as somebody types it: words, table and command line, JSON, this machine's
// memory, and what is wrong with a line. Runs the program in child processes; needs dist/ and the
// addon.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { run } from "../cli/program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-plan-program-"));
let first = "";
beforeAll(async () => {
  // Sparse: 140e9 bytes that take 5 MB.
  [first = ""] = await SHAPES["r1-full-sparse"](join(folder, "DeepSeek-R1-UD-IQ1_S.gguf"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("r1-native plan", () => {
  it("tells the plan in words, as a table and as a command line", async () => {
    const { code, stdout } = await run([
      "plan",
      first,
      "--vram",
      "24",
      "--ram",
      "128",
      "--cache-type-k",
      "q4_0",
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("floor(24 / 131 * 61 - 4): 7 whole layers");
    expect(stdout).toContain("All 61 layers' attention");
    expect(stdout).toMatch(/^r1-native chat .*--gpu-layers all .*--override-tensor '\^blk/m);
  });

  it("measures how fast memory is when it is for this machine, and only then", async () => {
    const here = await run(["plan", DEFAULT_MODEL_PATH]);
    expect(here.stdout).toMatch(
      /at most [\d.e+]+ tokens a second \(measured here: memory [\d.e+]+ GB\/s/,
    );
    expect((await run(["plan", DEFAULT_MODEL_PATH, "--vram", "0"])).stdout).not.toContain(
      "measured",
    );
    const asked = await run([
      "plan",
      DEFAULT_MODEL_PATH,
      "--vram",
      "0",
      "--bandwidth",
      "ram=measured",
      "--json",
    ]);
    expect(JSON.parse(asked.stdout)).toMatchObject({
      bandwidth: { ram: expect.any(Number) as number },
    });
  });

  it.each([
    [["--devices", "CUDA0"], 'received "CUDA0"'],
    [["--vram", "24", "--devices", "CUDA0"], "exclude each other"],
    [["--vram", "24GB"], "a number of GiB after --vram"],
    [["--bandwidth", "ram=fast"], "or ram=measured"],
    [["--bandwidth", "gpu=measured"], "or ram=measured"],
  ])("refuses %j with exit code 2 and says why", async (words, why) => {
    const { code, stdout, stderr } = await run(["plan", DEFAULT_MODEL_PATH, ...words]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(why);
  });

  it.each([
    ["unsloth/DeepSeek-R1-GGUF", "A model on the Hub is written hf:unsloth/DeepSeek-R1-GGUF."],
    [
      "unsloth/DeepSeek-R1-GGUF:UD-IQ1_S",
      "A model on the Hub is written hf:unsloth/DeepSeek-R1-GGUF:UD-IQ1_S.",
    ],
    ["models/gone.gguf", "Check the path."],
  ])("tells of %s what may have been meant", async (source, hint) => {
    const { code, stderr } = await run(["plan", source, "--vram", "24"]);
    expect(code).toBe(1);
    expect(stderr.split("\n")[0]?.endsWith(hint)).toBe(true);
  });

  it("tells it as JSON, and refuses what is no number with exit code 2", async () => {
    const { stdout } = await run(["plan", DEFAULT_MODEL_PATH, "--vram", "8,8", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ layers: 4, placement: { kind: "all" } });
    expect((await run(["plan", DEFAULT_MODEL_PATH, "--vram", "lots"])).code).toBe(2);
  });
});
