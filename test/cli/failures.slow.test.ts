// What the program says and returns when something is wrong: exit codes, messages without stacks,
// signals.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { endless, program, run, start } from "./program.js";
import type { Ended } from "./program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-cli-"));
const noModel = join(folder, "no-model.gguf");
const empty = join(folder, "empty.gguf");
writeFileSync(noModel, "this is text, no model, and long enough to be read as a header");
writeFileSync(empty, "");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A message for people: few lines, no stack. */
function expectPlain({ stdout, stderr }: Ended): void {
  expect(stdout).toBe("");
  expect(stderr.trim().split("\n").length, stderr).toBeLessThanOrEqual(4);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).toMatch(/^error: /);
}

/**
 * Waits until a process looks for input on its standard input, which the program does once it
 * listens for signals.
 */
async function untilReading(pid: number): Promise<void> {
  const isWatched = (): boolean =>
    readdirSync(`/proc/${pid}/fdinfo`).some((fd) => {
      try {
        return /^tfd:\s+0 /m.test(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8"));
      } catch {
        // Closed since it was listed.
        return false;
      }
    });
  while (!isWatched()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("wrong usage ends with 2", () => {
  it.each([
    [["run", "--ctx-sise", "5", "-p", "x"], "Did you mean --ctx-size?"],
    [["--ctx-sise", "5"], "Did you mean --ctx-size?"],
    [["rum", "-p", "x"], "Did you mean run?"],
    [["run", "-p"], "--prompt needs a value after it; r1-native run --help"],
    [["run", "-p", "x", "-c", "many"], "a whole number after --ctx-size"],
    [["run", "-p", "x", "-c", "-3"], "--ctx-size"],
    [["run", "-p", "x", "--temp", "-2000", "--top-p", "3"], "--top-p"],
    [["run", "-p", "x", "--raw", "--dry-multiplier", "1", "--dry-base", "-1"], "--dry-base"],
    [["run", "-p", "x", "--rope-freq-base", "-1"], "--rope-freq-base"],
    [["run", "-p", "x", "-ctk", "q5_k"], "--cache-type-k"],
    [["run", "-p", "x", "--prio", "9"], "--prio"],
    [["run", "-p", "x", "-f", "y"], "--prompt and --file"],
    [["run", "-p", "x", "stray"], "without a flag and --prompt cannot be used together"],
    [["What", "is", "1+1?"], 'r1-native run "What is 1+1?"'],
    [["run", "one", "two"], 'put it in quotes, r1-native run "one two"'],
    [["run", "one", "-f", "two"], "without a flag and --file cannot be used together"],
    [["tiny.gguf", "hi"], 'r1-native run --model tiny.gguf "What is 1+1?"'],
    [["chat", "hf:owner/name:Q4_K_M"], "r1-native chat --model hf:owner/name:Q4_K_M"],
    [["help", "nope"], 'There is no command "nope"'],
    [["pull"], "<repo> is missing: r1-native pull <repo> [pattern...]."],
    [["imatrix", "a", "b"], "--out <file> is missing; r1-native imatrix --help"],
    [["quants", "x"], "too many arguments: r1-native quants"],
    [["-p", "x", "-n", "0"], "a whole number from 1, or -1 for no limit, after --n-predict"],
    [["-V"], "There is no flag -V. --help lists the flags."],
    [["-u", "x"], "There is no flag -u. --help lists the flags."],
    [["-p", "x", "--reasning", "off"], "Did you mean --reasoning?"],
    [["-p", "x", "--chat-template", "chatml"], "--template file"],
    [["-p", "x", "--hf-token", "hf_x"], "Set HF_TOKEN"],
    [["-p", "x", "-hff", "a.gguf"], "give the repository with --hf-repo"],
    [["-p", "x", "-hf", "a/b", "-m", "c"], "--model and --hf-repo cannot be used together"],
    [["-p", "x", "-m", "https://example.com/m.gguf"], "Download the file first"],
    [["-p", "x", "-md", "https://example.com/m.gguf"], "--model-draft accepts a file"],
    [["run"], "The prompt is empty"],
    [["run", "-p", ""], "The prompt is empty"],
    [["run", "-p", "x", "--ngram-draft", "65"], "from 0 to 64 for --ngram-draft"],
    [["run", "-p", "x", "-b", "8", "-ub", "8", "--ngram-draft", "10"], "Expected at most 7"],
    [
      ["plan", "nowhere.gguf", "--vram", "8", "--devices", "Vulkan0"],
      "--vram and --devices exclude each other",
    ],
    [
      ["split", DEFAULT_MODEL_PATH, "x", "--max-size", "5M", "--max-tensors", "3"],
      "--max-size and --max-tensors exclude each other. Give one of them.",
    ],
    [
      ["run", "-p", "x", "--override-kv", "deepseek2.block_count=str:x"],
      "Give --override-kv the kind int",
    ],
    [["run", "-p", "x", "-b", "8", "-ub", "16"], "--batch-size (8) for --ubatch-size"],
    [["chat", "--raw"], "There is no flag --raw"],
    [["merge", "a.gguf", "b.gguf", "--forse"], "Did you mean --force?"],
    [["batch", "status", "out.jsonl"], "Did you mean r1-native batch stats?"],
    [["plan", "-m", "a.gguf"], "There is no flag -m. Give the model without one: r1-native plan <"],
    [["inspect", "--model=a.gguf"], "without one: r1-native inspect <file|url>."],
    [["plan", "-hf", "a/b:Q4_K_M"], "One on the Hub is hf:OWNER/NAME:QUANT."],
  ])("%j", async (args, message) => {
    const end = await run(args);
    expectPlain(end);
    expect(end.stderr).toContain(message);
    expect(end.code).toBe(2);
  });
});

describe("a failure ends with 1 and names what to do", () => {
  it.each([
    [["-m", join(folder, "missing.gguf")], "FILE_NOT_FOUND"],
    [["-m", folder], "FILE_IS_DIRECTORY"],
    [["-m", empty], "FILE_EMPTY"],
    [["-m", noModel], "NOT_GGUF"],
    [["-c", "256", "-ub", "32", "-p", "word ".repeat(2000)], "PROMPT_TOO_LONG"],
  ])("%j", async (args, code) => {
    const end = await run(["run", "-p", "x", ...args]);
    expectPlain(end);
    expect(end.stderr).toContain(code);
    expect(end.code).toBe(1);
  });

  it.each([
    [
      ["-ctk", "q4_0", "-ctv", "f16"],
      'but --cache-type-k is "q4_0" and --cache-type-v is "f16". Set --cache-type-k only.',
    ],
    [["-ctk", "q4_0", "-fa", "off"], 'but --flash-attn is "off". Leave --flash-attn at "auto"'],
    [["-c", "1000000000"], "Use a smaller --ctx-size, or a quantised --cache-type-k."],
    [["-c", "256", "-p", "word ".repeat(2000)], "load the model with a larger --ctx-size."],
  ])("and speaks of flags, not of the library's options: %#", async (args, words) => {
    const end = await run(["run", "-p", "x", ...args]);
    expectPlain(end);
    expect(end.stderr).toContain(words);
    expect(end.code).toBe(1);
  });

  it("and a file that stands there is overwritten with a flag", async () => {
    const end = await run(["split", DEFAULT_MODEL_PATH, join(folder, "part")]);
    expect(end.code).toBe(0);
    const again = await run(["split", DEFAULT_MODEL_PATH, join(folder, "part")]);
    expectPlain(again);
    expect(again.stderr).toContain("allow overwriting (option --force)");
    expect(again.code).toBe(1);
  });

  it("for an address at which nobody answers too", async () => {
    const end = await run(["inspect", "http://127.0.0.1:1/model.gguf"]);
    expectPlain(end);
    expect(end.stderr).toMatch(
      /^error: The connection to http:\/\/127\.0\.0\.1:1\/model\.gguf failed: .*Check the address/,
    );
    expect(end.stderr).toContain("NETWORK_FAILED");
    expect(end.code).toBe(1);
  });

  it("for a prompt file too", async () => {
    const end = await run(["run", "-f", join(folder, "missing.txt")]);
    expectPlain(end);
    expect(end.stderr).toContain("FILE_NOT_FOUND");
    expect(end.code).toBe(1);
  });
});

describe("a signal", () => {
  const reply = ["run", "-p", "hi", ...endless];

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends a reply where it is, with %i", async (signal, code) => {
    const { child, stdout, ended } = start(reply);
    child.stdin.end();
    await stdout.until("<think>\n");
    child.kill(signal);
    const end = await ended;
    expect(end).toMatchObject({ code, signal: null, stderr: "" });
    expect(end.stdout.endsWith("\n")).toBe(true);
  });

  it("leaves a whole JSON object behind with --json", async () => {
    const { child, stderr, ended } = start([...reply, "--json", "--verbose-prompt"]);
    child.stdin.end();
    // The ids of the prompt are shown in the very turn in which the reply begins.
    await stderr.until("prompt tokens");
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ finishReason: "aborted" });
  });

  it("ends the program while it waits for a pipe", async () => {
    const { child, ended } = start(["run"]);
    await untilReading(child.pid ?? 0);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, signal: null, stdout: "", stderr: "" });
    child.stdin.end();
  });

  it("given again ends the program also when nobody reads its output", async () => {
    const child = spawn(process.execPath, [program, ...reply, "--json-stream"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "close").then(([code, signal]: unknown[]) => ({ code, signal }));
    // One part is read, and then nothing more: soon the pipe is full.
    await once(child.stdout, "readable");
    const again = setInterval(() => child.kill("SIGINT"), 300);
    const { code, signal } = await once(child, "exit").then(([code_, signal_]: unknown[]) => ({
      code: code_,
      signal: signal_,
    }));
    clearInterval(again);
    expect([130, "SIGINT"]).toContain(signal ?? code);
    child.stdout.resume();
    await ended;
  });
});
