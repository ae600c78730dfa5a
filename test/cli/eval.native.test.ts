// examples/eval: the questions are whole and held out, the program scores them, says what is wrong
// with its input, and stops on Ctrl-C; child processes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../fixtures/gguf-temp.js";
import { Transcript } from "../fixtures/transcript.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const children: ReturnType<typeof spawn>[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, ["examples/eval/eval.mjs", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const stderr = new Transcript(child.stderr);
  const stdout = new Transcript(child.stdout);
  const ended = once(child, "close").then(([code]: unknown[]) => code as number | null);
  return { child, stdout, stderr, ended };
}

interface Question {
  readonly task: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly answer: string;
}

describe("the held-out questions", () => {
  it("are 400, 40 of each kind, and take less than 100 KB", async () => {
    const path = join(root, "examples/eval/questions.jsonl");
    const questions = (await readFile(path, "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Question);
    const counts = new Map<string, number>();
    for (const { task, messages, answer } of questions) {
      counts.set(task, (counts.get(task) ?? 0) + 1);
      expect(messages.at(-1)?.role).toBe("user");
      expect(answer).not.toBe("");
    }
    expect(questions).toHaveLength(400);
    expect([...counts.values()]).toEqual(Array.from({ length: 10 }, () => 40));
    expect((await stat(path)).size).toBeLessThan(100_000);
  });
});

describe("eval.mjs", () => {
  it("scores the embedded model with each type of cache", async () => {
    const { stdout, stderr, ended } = start(["--limit", "6", "--cache", "f16,q4_0", "--json"]);
    expect(await ended).toBe(0);
    const scores = JSON.parse(stdout.text) as {
      type: string;
      right: number;
      sameAnswer: number;
      questions: number;
      cache: { bytes: number };
    }[];
    expect(scores.map(({ type }) => type)).toEqual(["f16", "q4_0"]);
    expect(scores[0]).toMatchObject({ questions: 6, right: 6, sameAnswer: 6 });
    expect(scores[1]?.cache.bytes).toBeLessThan((scores[0]?.cache.bytes ?? 0) / 3);
    expect(stderr.text).toContain("q4_0: 6 of 6");
  });

  it("takes plain questions, and prints a table", async () => {
    const path = join(await temporaryFolder(), "own.jsonl");
    await writeFile(
      path,
      '{"question":"What is 1+1?","answer":"2"}\n\n{"question":"What is 1+1?","answer":"3"}\n',
    );
    const { stdout, ended } = start(["--questions", path, "--cache", "f16", "--contains"]);
    expect(await ended).toBe(0);
    expect(stdout.text).toMatch(/^\| accuracy +\| +50\.0 % \|$/m);
  });

  it.each([
    [["--cache", "q3"], 2, "no cache type"],
    [["--limit", "0"], 2, "--limit"],
    [["--tempt", "0"], 2, "--tempt"],
    [["--questions", "no-such.jsonl"], 1, "no-such.jsonl"],
    [["--questions", "README.md"], 2, "Line 1"],
    [["--model", "package.json"], 1, "not a GGUF file"],
  ] as const)("says what is wrong: %s", async (args, code, word) => {
    const { stderr, ended } = start(args);
    expect(await ended).toBe(code);
    expect(stderr.text).toContain(word);
    expect(stderr.text).not.toContain("    at ");
  });

  it("stops on Ctrl-C with 130 and shows the runs that were done", async () => {
    // Far more runs than are done before the signal comes, however late that is.
    const { child, stdout, stderr, ended } = start([
      "--limit",
      "100",
      "--cache",
      new Array(500).fill("f16").join(","),
    ]);
    await stderr.until("f16: 100 of 100");
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(stderr.text).toContain("stopped");
    expect(stdout.text).toMatch(/\| accuracy/);
  });
});
