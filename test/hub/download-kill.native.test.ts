// Downloads and `r1-native pull` as processes of their own: kills, Ctrl-C, what is shown. Uses
// dist/.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { run, start } from "../cli/program.js";
import { noise } from "./fake-hub.js";
import { at, BIG, big, bigPath, pull, useHub } from "./setup.js";

useHub();

const KILL_CHUNK = 262_144;
const large = noise(4_000_000, 9);
const child = fileURLToPath(new URL("./pull-child.mjs", import.meta.url));

describe("a killed download", () => {
  it.each([400_000, 1_500_000, 3_000_000])(
    "after %i bytes leaves nothing that looks whole, and at most one chunk comes twice",
    async (after) => {
      at.hub.commit({ "m.gguf": large });
      at.hub.fault = () => ({
        kind: "slow",
        bytesPerTick: 16_384,
        tickMs: 5,
        crawlAfter: after + 300_000,
      });
      const target = join(at.dir, "m.gguf");
      const running = spawn(process.execPath, [child, at.hub.repo, at.hub.endpoint, at.dir], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let fetched = 0;
      running.stdout.setEncoding("utf8").on("data", (text: string) => {
        fetched = Number(text.trim().split("\n").at(-1));
        if (fetched >= after) running.kill("SIGKILL");
      });
      await once(running, "close");
      expect(fetched).toBeGreaterThanOrEqual(after);
      expect(existsSync(target)).toBe(false);
      at.hub.fault = undefined;
      const result = await pull();
      expect(readFileSync(target).equals(large)).toBe(true);
      expect(fetched + result.fetchedBytes - large.length).toBeLessThanOrEqual(KILL_CHUNK);
    },
  );
});

describe("r1-native pull", () => {
  const args = (): string[] => ["pull", at.hub.repo, "*Q4_K_M*", "--dir", at.dir];
  const env = (): Record<string, string> => ({
    HF_ENDPOINT: at.hub.endpoint,
    HF_TOKEN: "hf_x",
    HF_HOME: at.dir,
  });

  it("puts the paths on standard output and the rest on standard error", async () => {
    const { code, stdout, stderr } = await run(args(), { env: env() });
    expect(stderr).toMatch(/^1 file, 976\.6 KiB \(976\.6 KiB fetched\), at commit [0-9a-f]{40}/);
    expect(stdout).toBe(`${bigPath()}\n`);
    expect(code).toBe(0);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
  });

  it("tells as JSON what it did", async () => {
    const { stdout } = await run([...args(), "--json"], { env: env() });
    expect(JSON.parse(stdout)).toMatchObject({
      repo: at.hub.repo,
      modelPath: bigPath(),
      fetchedBytes: BIG,
      files: [{ name: "sub/big-Q4_K_M.gguf" }],
    });
  });

  it("ends with 130 after Ctrl-C, and goes on the next time", async () => {
    at.hub.fault = () => ({ kind: "slow", bytesPerTick: 4096, tickMs: 5, crawlAfter: 500_000 });
    const { child: running, ended } = start(args(), env());
    const partial = `${bigPath()}.partial`;
    const watch = setInterval(() => {
      if ((statSync(partial, { throwIfNoEntry: false })?.size ?? 0) < 200_000) return;
      // A second one would end it at once.
      clearInterval(watch);
      running.kill("SIGINT");
    }, 10);
    const { code, stderr } = await ended;
    clearInterval(watch);
    expect(code).toBe(130);
    expect(stderr).toContain("again to continue");
    expect(existsSync(bigPath())).toBe(false);
    const before = at.hub.sentBytes;
    at.hub.fault = undefined;
    expect((await run(args(), { env: env() })).code).toBe(0);
    expect(at.hub.sentBytes - before).toBeLessThan(BIG - 100_000);
  });

  it("ends with 1 and the reason when the repository is private", async () => {
    at.hub.token = "hf_other";
    const { code, stderr } = await run(args(), { env: env() });
    expect(code).toBe(1);
    expect(stderr).toContain("FILE_UNREADABLE");
    expect(stderr).not.toContain("hf_x");
  });
});
