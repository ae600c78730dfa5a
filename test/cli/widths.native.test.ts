// What the program writes fits the terminal: progress, notices and reports. Uses dist/.
import { describe, expect, it } from "vitest";
import { demoNotice } from "../../lib/cli/banner.js";
import { barText } from "../../lib/cli/batch-progress.js";
import { wrapText } from "../../lib/cli/wrap.js";
import { commandOnTerminal } from "./on-terminal.js";
import { program, tinyModel } from "./program.js";

describe("the progress of a batch", () => {
  const progress = {
    total: 40_000,
    done: 10_000,
    before: 0,
    failed: 3,
    running: 16,
    tokens: 1,
    tokensPerSecond: 2223,
    secondsLeft: 3500,
    ends: {},
    verified: 0,
    verifyErrors: 0,
  };

  it.each([20, 40, 60, 80, 140])("fits %i columns", (columns) => {
    const text = barText(progress, columns);
    expect(text.length).toBeLessThan(columns);
    expect(text).toContain("10000 of 40000");
  });

  it("has an empty bar while the number of rows is unknown", () => {
    expect(barText({ ...progress, total: undefined }, 140)).toMatch(/^-{20} 10000 of \? done/);
  });

  it("gives up the bar first, and how long it takes last", () => {
    expect(barText(progress, 140)).toMatch(/^=====-{15} 10000 of 40000 done, 3 failed, 16 running/);
    expect(barText(progress, 80)).toMatch(/^10000 of [^]*16 running, 2223 tokens\/s, 59 min left$/);
    expect(barText(progress, 60)).toBe("10000 of 40000 done, 3 failed, 2223 tokens/s, 59 min left");
    expect(barText(progress, 40)).toBe("10000 of 40000 done, 59 min left");
  });
});

describe("notices and reports", () => {
  it("of serve name the command serve", () => {
    expect(demoNotice("serve")).toContain("\n  r1-native serve -hf ");
  });

  it("do not break a command of llama-bench", () => {
    const line = `  llama-bench -m ${"model".repeat(10)}.gguf -p 512 -n 128`;
    expect(wrapText(line, 60)).toBe(line);
  });

  const on60Columns = async (command: string): Promise<string[]> => {
    const shell = `stty cols 60 rows 40; exec "$0" "$1" ${command} "$2"`;
    const { shown, ended } = commandOnTerminal([
      ...["sh", "-c", shell],
      ...[process.execPath, program, tinyModel],
    ]);
    expect(await ended).toBe(0);
    return shown().split("\r\n");
  };

  it("of doctor break between words", async () => {
    const lines = await on60Columns("doctor");
    const findings = lines.slice(lines.findIndex((line) => line.startsWith("note: ")));
    expect(findings.length).toBeGreaterThan(1);
    expect(findings.filter((line) => line.length > 60)).toEqual([]);
  });

  it("of inspect cut long metadata", async () => {
    const lines = await on60Columns("inspect");
    const metadata = lines.filter((line) => /^(?:general|tokenizer|deepseek2)\./.test(line));
    expect(metadata.length).toBeGreaterThan(10);
    expect(metadata.filter((line) => line.length > 60)).toEqual([]);
    expect(metadata.some((line) => line.endsWith("…"))).toBe(true);
  });
});
