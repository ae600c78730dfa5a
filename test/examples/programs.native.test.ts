// The programs of examples/ do what their first lines say, on the embedded model.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FakeHub } from "../hub/fake-hub.js";
import { DEFAULT_MODEL_PATH } from "../../lib/index.js";
import { example, root } from "./example.js";

const folder = mkdtempSync(join(tmpdir(), "r1-examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an example", () => {
  const names = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".mjs"));
  const read = (path: string): string => readFileSync(join(root, path), "utf8");

  it.each(names)("%s is one page, says how to run it, and is listed", (name) => {
    const text = read(`examples/${name}`);
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(90);
    expect(text).toMatch(new RegExp(`^//\\n// {2}.*node examples/${name}`, "m"));
    expect(read("examples/README.md")).toContain(`](${name})`);
  });
});

describe("start.mjs", () => {
  it("shows reasoning, answer and one line of timings", async () => {
    const { code, stdout } = await example("start.mjs");
    expect(code).toBe(0);
    expect(stdout).toContain("What is 1+1?");
    expect(stdout).toMatch(/2/);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(
      /^prompt \d+ tokens\/s, reply \d+ tokens\/s, first token [\d.]+ ms.*bytes/,
    );
  });
});

describe("hello.mjs", () => {
  it("prints one answer", async () => {
    const { code, stdout } = await example("hello.mjs");
    expect(code).toBe(0);
    expect(stdout).toMatch(/2/);
  });
});

describe("reasoning.mjs", () => {
  it("shows reasoning and answer apart", async () => {
    const { code, stdout } = await example("reasoning.mjs");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\[thinking\] [^]+\n\[answer\] [^]*42[^]*\n\[stop\] \d+ of \d+ tokens were reasoning\n$/,
    );
  });
});

describe("session.mjs", () => {
  it("goes on in a second run, with the cells of the first", async () => {
    const file = join(folder, "talk.r1s");
    const first = await example("session.mjs", [file]);
    expect(first.stdout).toContain("5 messages are in");
    const second = await example("session.mjs", [file]);
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/^> What is 20\+3\?\n/);
    const [, cached] = /\((\d+) of \d+ prompt tokens were cached\)/.exec(second.stdout) ?? [];
    expect(Number(cached)).toBeGreaterThan(10);
    expect(second.stdout).toContain("7 messages are in");
  });
});

describe("abort.mjs", () => {
  it("ends replies in each of its ways", async () => {
    const { code, stdout } = await example("abort.mjs");
    expect(code).toBe(0);
    expect(stdout).toBe(
      "signal: aborted\ncancel(): aborted\ntime limit: timeout\nbreak: aborted\n" +
        "loop: the user went away\n",
    );
  });
});

describe("parallel.mjs", () => {
  it("answers five questions and takes a vote", async () => {
    const { code, stdout } = await example("parallel.mjs");
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(6);
    expect(lines[1]).toMatch(/^What is 12\+30\? .*42/);
    expect(lines[5]).toMatch(/^What is 8\+9\? -?\d+, by [1-4] of 4 votes$/);
  });
});

describe("structured.mjs", () => {
  it("prints an object of its schema", async () => {
    const { code, stdout } = await example("structured.mjs");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\{ sum: \d+, isEven: (?:true|false) \}\n$/);
  });
});

describe("tools.mjs", () => {
  it("makes the call that the model asks for, and ends in an answer", async () => {
    const { code, stdout } = await example("tools.mjs");
    expect(code).toBe(0);
    const [, a, b, sum] = /^add\(\{"a":(\d+),"b":(\d+)\}\) = (\d+)\n/.exec(stdout) ?? [];
    expect(Number(sum)).toBe(Number(a) + Number(b));
  });
});

describe("plan-and-pull.mjs", () => {
  it("plans from the header, downloads, and answers by the plan", async () => {
    const hub = await new FakeHub().start();
    try {
      hub.commit({ "tiny-Q4_K_M.gguf": readFileSync(DEFAULT_MODEL_PATH) });
      const { code, stdout, stderr } = await example(
        "plan-and-pull.mjs",
        [`hf:${hub.repo}:Q4_K_M`],
        {
          env: { HF_ENDPOINT: hub.endpoint, HF_HOME: folder },
        },
      );
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^hf:.*: \d+ MiB, \d+ layers\n/);
      expect(stdout).toContain(" 100 % of ");
      expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/2/);
    } finally {
      await hub.stop();
    }
  });
});

describe("speculation.mjs", () => {
  it("gives the same reply with drafts", async () => {
    const { code, stdout } = await example("speculation.mjs");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^plain: .* 0 of 0 drafted tokens accepted$/m);
    expect(stdout).toMatch(/^drafted: .* \d+ of [1-9]\d* drafted tokens accepted$/m);
    expect(stdout).toContain("The replies are the same.");
  });
});

describe("several-models.mjs", () => {
  it("asks two models, and one of them is right", async () => {
    const { code, stdout } = await example("several-models.mjs");
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^What is 1\+1\? .* \((?:small|large) model, true\)$/);
  });
});

describe("batch.mjs", () => {
  it("answers each line with one JSON object", async () => {
    const questions = ["What is 1+1?", "", "What is 12+30?", "What is 7+5?", "What is 6-2?"];
    const { code, stdout } = await example("batch.mjs", [], { input: questions.join("\n") });
    expect(code).toBe(0);
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { line: number; question: string; answer: string })
      .sort((a, b) => a.line - b.line);
    expect(answers.map(({ line }) => line)).toEqual([1, 3, 4, 5]);
    expect(answers[1]).toMatchObject({
      question: "What is 12+30?",
      answer: expect.stringContaining("42") as unknown,
    });
  });
});

describe("two-workers.mjs", () => {
  it("answers in two threads at once", async () => {
    const { code, stdout } = await example("two-workers.mjs");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^What is 1\+1\? .*2.*\nWhat is 2\+3\? .*5.*\n$/);
  });
});
