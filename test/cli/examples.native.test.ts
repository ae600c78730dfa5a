// The programs of examples/ do what their first lines say, on the embedded model.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { Transcript } from "../fixtures/transcript.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const started: ReturnType<typeof spawn>[] = [];
afterEach(() => started.splice(0).forEach((child) => child.kill("SIGKILL")));

/** Starts an example; `stdout` and `stderr` hold its output so far. */
function example(name: string, args: string[], input = "") {
  const child = spawn(process.execPath, [`examples/${name}`, ...args], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
  });
  started.push(child);
  const stdout = new Transcript(child.stdout);
  const stderr = new Transcript(child.stderr);
  child.stdin.end(input);
  const ended = once(child, "close").then(([code]: unknown[]) => code as number | null);
  return { child, stdout, stderr, ended };
}

describe("start.mjs", () => {
  it("shows reasoning, answer and one line of timings", async () => {
    const { stdout, ended } = example("start.mjs", []);
    expect(await ended).toBe(0);
    expect(stdout.text).toContain("What is 1+1?");
    expect(stdout.text).toMatch(/2/);
    expect(stdout.text.trimEnd().split("\n").at(-1)).toMatch(
      /^prompt \d+ tokens\/s, reply \d+ tokens\/s, first token [\d.]+ ms.*bytes/,
    );
  });
});

describe("batch.mjs", () => {
  it("answers each line with one JSON object", async () => {
    const { stdout, ended } = example(
      "batch.mjs",
      [],
      ["What is 1+1?", "", "What is 12+30?", "What is 7+5?", "What is 20+3?", "What is 6-2?"].join(
        "\n",
      ),
    );
    expect(await ended).toBe(0);
    const answers = stdout.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { line: number; question: string; answer: string })
      .sort((a, b) => a.line - b.line);
    expect(answers.map(({ line }) => line)).toEqual([1, 3, 4, 5, 6]);
    expect(answers[1]).toMatchObject({
      question: "What is 12+30?",
      answer: expect.stringContaining("42") as unknown,
    });
  });
});

describe("two-workers.mjs", () => {
  it("answers in two threads at once", async () => {
    const { stdout, ended } = example("two-workers.mjs", []);
    expect(await ended).toBe(0);
    expect(stdout.text).toMatch(/^What is 1\+1\? .*2.*\nWhat is 2\+3\? .*5.*\n$/);
  });
});
