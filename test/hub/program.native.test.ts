// `r1-native pull` as somebody types it: patterns, references, private repositories, a Hub that is
// not there, wrong words. Runs the program in child processes; needs dist/.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { run } from "../cli/program.js";
import { at, big, bigPath, useHub } from "./setup.js";

useHub();

const pull = (words: readonly string[], env: Record<string, string> = {}): ReturnType<typeof run> =>
  run(["pull", ...words], {
    env: { HF_ENDPOINT: at.hub.endpoint, HF_TOKEN: "", HF_HOME: at.dir, ...env },
  });

describe("r1-native pull", () => {
  it.each([
    ["a repository and a pattern", ["owner/model", "*Q4_K_M*"]],
    ["a reference, as every other command takes it", ["hf:owner/model:Q4_K_M"]],
    ["a repository and a quant, as in a reference", ["owner/model:Q4_K_M"]],
    ["a reference to a file", ["hf:owner/model/sub/big-Q4_K_M.gguf"]],
  ])(
    "takes %s, fetches what it means and nothing else, and tells where it is",
    async (_name, words) => {
      const { code, stdout, stderr } = await pull([...words, "--dir", at.dir]);
      expect([code, stdout]).toEqual([0, `${bigPath()}\n`]);
      expect(stderr).toMatch(/^1 file, .* at commit [0-9a-f]{40}\n$/);
      expect(readFileSync(bigPath()).equals(big)).toBe(true);
    },
  );

  it("lists the models of a repository with several, and takes them all only when told so", async () => {
    at.hub.commit({ "a-Q4_K_M.gguf": big, "a-Q8_0-00001-of-00001.gguf": big.subarray(0, 5000) });
    const refused = await pull(["owner/model", "--dir", at.dir]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/holds 2 models:\n\n {2}Q8_0 .*\n {2}Q4_K_M .*\n\n.*--all/);
    expect(at.hub.sentBytes).toBe(0);
    const { code, stdout } = await pull(["owner/model", "--all", "--dir", at.dir]);
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(2);
  });

  it("takes a proxy by its flag", async () => {
    const words = ["owner/model", "*Q4_K_M*", "--proxy", "socks5://ann:secret@127.0.0.1:1080"];
    const { code, stderr } = await pull(words);
    expect(code).toBe(2);
    expect(stderr).toContain("--proxy");
    expect(stderr).not.toContain("secret");
  });

  it("refuses a reference beside patterns, and one of a quant that is not there", async () => {
    expect(await pull(["hf:owner/model:Q4_K_M", "*Q8_0*"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("remove the patterns") as string,
    });
    expect(await pull(["hf:owner/model:Q9_X"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Q4_K_M") as string,
    });
  });

  it("says of a Hub that is not there where it looked, in an address that can be read", async () => {
    // A port that no server may have.
    const { code, stderr } = await pull(["owner/model"], { HF_ENDPOINT: "http://127.0.0.1:1" });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: The connection to http:\/\/[\d.:]+\/api\/models\/owner\/model\/revision\/main failed: .*\n {7}code: NETWORK_FAILED\n$/,
    );
  });
});
