// `r1-native run` in child processes on the embedded model: replies, inputs, output forms, and
// llama.cpp's documented command lines.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { program, run, tinyModel } from "./program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const greedy = ["--temp", "0", "-t", "1"];
const question = "What is 1+1?";

describe("the documented command lines, with the program's name changed", () => {
  const documented = [
    ...[
      "--model",
      tinyModel,
      "--cache-type-k",
      "q4_0",
      "-no-cnv",
      "--prio",
      "2",
      "--temp",
      "0.6",
      "--ctx-size",
      "8192",
    ],
    ...["--seed", "3407", "--prompt", "<｜User｜>What is 1+1?<｜Assistant｜>"],
  ];

  it("answer the 1+1 prompt with reasoning and answer", async () => {
    const { code, stdout } = await run(documented);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<think>\n[^]+\n<\/think>\n\n[^]*2[^]*\n$/);
    expect((await run(["run", ...documented])).stdout).toBe(stdout);
  });

  it.each([
    [["--n-gpu-layers", "7"]],
    [["--n-gpu-layers", "59"]],
    [["--min-p", "0.05"]],
    [["--threads", "2", "-fa", "on", "--no-mmap", "-ub", "64", "-no-cnv"]],
  ])("run with %j added", async (more) => {
    const { code, stdout } = await run([...documented, ...more]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<think>\n[^]+<\/think>\n/);
  });

  it("say what the cache is: q4_0 for K alone gives V the same type on an MLA file", async () => {
    const { stderr } = await run([...documented, "--show-timings"]);
    expect(stderr).toMatch(/q4_0 cache [\d.]+ [KM]iB/);
  });
});

describe("speculation", () => {
  it("may draft more tokens than a model is loaded for by default, and changes no reply", async () => {
    const plain = await run(["run", "-p", question, ...greedy]);
    const drafted = await run(["run", "-p", question, ...greedy, "--ngram-draft", "20"]);
    expect(drafted).toMatchObject({ code: 0, stdout: plain.stdout });
  });
});

describe("a prompt", () => {
  it("is the same from -p, a file and a pipe", async () => {
    const file = join(folder, "prompt.txt");
    writeFileSync(file, `${question}\n`);
    const fromFlag = await run(["run", "-p", question, ...greedy]);
    expect(fromFlag.stdout).toContain("2");
    expect((await run(["run", "-f", file, ...greedy])).stdout).toBe(fromFlag.stdout);
    expect((await run(["run", ...greedy], { input: `${question}\n` })).stdout).toBe(
      fromFlag.stdout,
    );
    expect((await run(greedy, { input: question })).stdout).toBe(fromFlag.stdout);
  });

  it("has its escape sequences replaced in -p, and elsewhere only when asked", async () => {
    const tokens = async (args: string[], input?: string): Promise<string> =>
      (
        await run(
          [...args, "--raw", "--verbose-prompt", "-n", "1", ...greedy],
          input === undefined ? {} : { input },
        )
      ).stderr;
    const escaped = String.raw`a\nb`;
    const replaced = await tokens([], "a\nb");
    expect(await tokens(["-p", escaped])).toBe(replaced);
    expect(await tokens(["--escape"], escaped)).toBe(replaced);
    const kept = await tokens([], escaped);
    expect(kept).not.toBe(replaced);
    expect(await tokens(["--no-escape", "-p", escaped])).toBe(kept);
  });

  it("that spells special tokens is text in a chat and tokens in raw mode", async () => {
    const prompt = "<｜User｜>What is 1+1?<｜Assistant｜>";
    const asked = async (...args: string[]): Promise<{ tokens: string[]; counted: number }> => {
      const { stdout, stderr } = await run([
        "-p",
        prompt,
        "-n",
        "1",
        "--verbose-prompt",
        "--json",
        ...greedy,
        ...args,
      ]);
      const { usage } = JSON.parse(stdout) as { usage: { promptTokens: number } };
      return {
        tokens: stderr
          .trimEnd()
          .split("\n")
          .slice(1)
          .map((line) => JSON.parse(line.replace(/^.*-> /, "")) as string),
        counted: usage.promptTokens,
      };
    };
    const raw = await asked("--raw");
    expect(raw.tokens.join("")).toBe(`<｜begin▁of▁sentence｜>${prompt}`);
    expect(raw.tokens.filter((token) => token.includes("｜User｜"))).toEqual(["<｜User｜>"]);
    expect(raw.counted).toBe(raw.tokens.length);
    const chat = await asked();
    expect(chat.tokens.join("")).toBe(`<｜begin▁of▁sentence｜><｜User｜>${prompt}<｜Assistant｜>`);
    expect(chat.tokens.filter((token) => token.includes("｜User｜"))).toEqual(["<｜User｜>"]);
    expect(chat.counted).toBe(chat.tokens.length);
  });

  it("that brings its own BOS gets no second one", async () => {
    const { stderr } = await run([
      "-p",
      "<｜begin▁of▁sentence｜><｜User｜>hi<｜Assistant｜>",
      "--raw",
      "-n",
      "1",
      "--verbose-prompt",
      ...greedy,
    ]);
    expect(stderr.split("begin▁of▁sentence").length).toBe(2);
  });

  it("takes a system prompt", async () => {
    const { code, stderr } = await run([
      "-p",
      question,
      "-sys",
      "Reply in Chinese.",
      "--verbose-prompt",
      "-n",
      "1",
      ...greedy,
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain("Chinese");
  });
});

describe("the output", () => {
  it("holds no terminal codes in a pipe unless they are asked for", async () => {
    expect((await run(["-p", question, ...greedy])).stdout).not.toContain("\u001b");
    expect((await run(["-p", question, ...greedy, "--color", "on"])).stdout).toContain("\u001b[2m");
    expect(
      (await run(["-p", question, ...greedy], { env: { FORCE_COLOR: "1" } })).stdout,
    ).toContain("\u001b[2m");
    expect(
      (await run(["-p", question, ...greedy], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stdout,
    ).not.toContain("\u001b");
  });

  it("is the answer alone with --hide-reasoning", async () => {
    const whole = (await run(["-p", question, ...greedy])).stdout;
    const { stdout } = await run(["-p", question, ...greedy, "--hide-reasoning"]);
    expect(stdout).not.toContain("think");
    expect(whole.endsWith(stdout)).toBe(true);
    expect(stdout.trim().length).toBeGreaterThan(0);
  });

  it("is one object with --json, whose text is what is shown", async () => {
    const { code, stdout, stderr } = await run([
      "-p",
      question,
      ...greedy,
      "--json",
      "--logprobs",
      "2",
      "-s",
      "7",
    ]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(result).sort()).toEqual([
      "answer",
      "finishReason",
      "logprobs",
      "reasoning",
      "schema",
      "seed",
      "text",
      "timings",
      "tokens",
      "toolCalls",
      "usage",
    ]);
    expect(result).toMatchObject({
      finishReason: "stop",
      seed: 7,
      tokens: expect.any(Array) as unknown,
    });
    expect((await run(["-p", question, ...greedy])).stdout).toBe(
      `<think>\n${String(result["reasoning"])}\n</think>\n\n${String(result["answer"])}\n`,
    );
  });

  it("is one part a line with --json-stream, finish last", async () => {
    const { stdout } = await run(["-p", question, ...greedy, "--json-stream"]);
    const parts = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; finishReason?: string });
    expect(parts[0]?.type).toBe("reasoning-start");
    expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: "stop" });
  });

  it("closes no thought that the model did not close", async () => {
    const { stdout } = await run(["-p", question, ...greedy, "-n", "6"]);
    expect(stdout).toMatch(/^<think>\n/);
    expect(stdout).not.toContain("</think>");
  });

  it("ends after -n tokens, also inside a thought", async () => {
    const { code, stdout } = await run(["-p", question, ...greedy, "-n", "6", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      finishReason: "length",
      usage: { completionTokens: 6 },
    });
  });

  it("ends quietly when its reader goes away", () => {
    const script = `set -o pipefail; "$0" "$1" -p hi --ignore-eos --loop-guard 0 -n 3000 -t 1 | head -c 20`;
    expect(
      execFileSync("bash", ["-c", script, process.execPath, program], {
        stdio: ["ignore", "pipe", "pipe"],
        encoding: "utf8",
      }).length,
    ).toBe(20);
  });
});

describe("help and version", () => {
  it.each([[["--help"]], [["help"]], [["run", "--help"]], [["chat", "--help"]], [["run", "-h"]]])(
    "%j is told on standard output",
    async (args) => {
      const { code, stdout, stderr } = await run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("Usage: r1-native");
    },
  );

  it("list llama.cpp's spellings", async () => {
    const { stdout } = await run(["run", "--help"]);
    for (const flag of [
      "-ngl, --gpu-layers, --n-gpu-layers <N>",
      "-ctk, --cache-type-k <TYPE>",
      "-no-cnv, --no-conversation, --raw",
      "-fa, --flash-attn [on|off|auto]",
    ])
      expect(stdout).toContain(flag);
  });

  it("name both versions", async () => {
    const { code, stdout } = await run(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^r1-native \d+\.\d+\.\d+\nllama\.cpp \d+\.\d+\.\d+.*\n$/);
  });
});
