// `r1-native bench` measures what its tests' names say, and compares with what llama-bench writes.
// Uses dist/.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run, start } from "./program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const small = ["bench", "-p", "24", "-n", "6", "-r", "3", "-t", "1"];

interface Report {
  readonly compareWith: string;
  readonly settings: { readonly threads: number };
  readonly tests: readonly {
    readonly name: string;
    readonly samples: readonly number[];
    readonly mean: number;
    readonly deviation: number;
    readonly llamaBench?: number;
    readonly ratio?: number;
  }[];
}

describe("r1-native bench", () => {
  it("reports each test with its measurements, their mean and deviation", async () => {
    const { code, stdout } = await run([...small, "--streams", "1,2,2", "--json"]);
    expect(code).toBe(0);
    const { tests, settings, compareWith } = JSON.parse(stdout) as Report;
    expect(tests.map(({ name }) => name)).toEqual(["pp24", "tg6", "tg6 x 2"]);
    expect(settings.threads).toBe(1);
    for (const { samples, mean, deviation } of tests) {
      expect(samples).toHaveLength(3);
      expect(Math.min(...samples)).toBeGreaterThan(0);
      expect(mean).toBeCloseTo(samples.reduce((sum, one) => sum + one, 0) / 3, 6);
      expect(deviation).toBeGreaterThanOrEqual(0);
    }
    expect(compareWith).toMatch(/^llama-bench -m ".*" -p 24 -n 6 -r 3 -t 1 .*-o json$/);
  });

  it("compares with llama-bench's JSON, by the names of tests", async () => {
    const file = join(folder, "up.json");
    const rows = [
      { n_prompt: 24, n_gen: 0, n_depth: 0, avg_ts: 10 },
      { n_prompt: 0, n_gen: 6, n_depth: 0, avg_ts: 20 },
      { n_prompt: 0, n_gen: 6, n_depth: 512, avg_ts: 1 },
    ];
    writeFileSync(file, JSON.stringify(rows));
    const { stdout } = await run([...small, "--streams", "1", "--llama-bench", file, "--json"]);
    const { tests } = JSON.parse(stdout) as Report;
    expect(tests.map(({ llamaBench }) => llamaBench)).toEqual([10, 20]);
    for (const { ratio, mean, llamaBench = 0 } of tests)
      expect(ratio).toBeCloseTo(mean / llamaBench, 6);
  });

  it("prints a table for people", async () => {
    const { stdout } = await run([...small, "--streams", "1"]);
    expect(stdout).toMatch(/^test +tokens\/s$/m);
    expect(stdout).toMatch(/^pp24 +[\d.]+ ± [\d.]+$/m);
    expect(stdout).toContain("The same with llama.cpp:\n  llama-bench -m");
  });

  it.each([
    [["-p", "0", "-n", "0"], "Nothing to measure"],
    [["--streams", "0"], "Expected whole numbers from 1 to 256"],
    [["-r", "0"], "Expected a whole number from 1 to 1000"],
    [["--llama-bench", "package.json"], "is not what llama-bench -o json writes"],
  ])("refuses %j", async (words, why) => {
    const { code, stderr } = await run(["bench", ...words]);
    expect(stderr).toContain(why);
    expect(code).toBe(2);
  });

  it("ends at Ctrl-C with exit code 130", async () => {
    const { child, ended, stderr } = start(["bench", "-n", "4000", "-r", "1000", "--verbose"]);
    await stderr.until(/warming|graph|context/i);
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
  });
});
