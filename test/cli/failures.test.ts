// What the program says and returns when something is wrong: exit codes, messages without stacks, signals.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { program, run, start, written } from "./program.js";
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

/** Waits until a process has used no processor time for a second: it has started and waits for something, however slow the machine. */
async function untilQuiet(pid: number): Promise<void> {
  const used = (): string => readFileSync(`/proc/${pid}/stat`, "utf8").split(" ").slice(13, 15).join(" ");
  for (let last = "", same = 0; same < 10; last = used()) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    same = last !== "" && used() === last ? same + 1 : 0;
  }
}

describe("wrong usage ends with 2", () => {
  it.each([
    [["run", "--ctx-sise", "5", "-p", "x"], "Did you mean --ctx-size?"],
    [["--ctx-sise", "5"], "Did you mean --ctx-size?"],
    [["rum", "-p", "x"], "Did you mean run?"],
    [["run", "-p"], "--prompt <value>"],
    [["run", "-p", "x", "-c", "many"], "a whole number after --ctx-size"],
    [["run", "-p", "x", "-c", "-3"], "--ctx-size"],
    [["run", "-p", "x", "--temp", "-2000", "--top-p", "3"], "--top-p"],
    [["run", "-p", "x", "--raw", "--dry-multiplier", "1", "--dry-base", "-1"], "--dry-base"],
    [["run", "-p", "x", "--rope-freq-base", "-1"], "--rope-freq-base"],
    [["run", "-p", "x", "-ctk", "q5_k"], "--cache-type-k"],
    [["run", "-p", "x", "--prio", "9"], "--prio"],
    [["run", "-p", "x", "-f", "y"], "--prompt and --file"],
    [["run", "-p", "x", "stray"], "too many arguments"],
    [["run"], "The prompt is empty"],
    [["chat", "-p", "x"], "There is no flag -p"],
    [["merge", "a.gguf", "b.gguf", "--forse"], "Did you mean --force?"],
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

  it("for a prompt file too", async () => {
    const end = await run(["run", "-f", join(folder, "missing.txt")]);
    expectPlain(end);
    expect(end.stderr).toContain("FILE_NOT_FOUND");
    expect(end.code).toBe(1);
  });
});

describe("a signal", () => {
  const endless = ["run", "-p", "hi", "--ignore-eos", "--loop-guard", "0", "-t", "1"];

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends a reply where it is, with %i", async (signal, code) => {
    const { child, ended } = start(endless);
    child.stdin.end();
    await written(child, ended, "<think>\n");
    child.kill(signal);
    const end = await ended;
    expect(end).toMatchObject({ code, signal: null, stderr: "" });
    expect(end.stdout.endsWith("\n")).toBe(true);
  });

  it("leaves a whole JSON object behind with --json", async () => {
    const { child, ended } = start([...endless, "--json", "-v"]);
    child.stdin.end();
    await new Promise<void>((resolve) => child.stderr.once("data", () => setTimeout(resolve, 1500)));
    child.kill("SIGINT");
    const end = await ended;
    expect(end.code).toBe(130);
    if (end.stdout !== "") expect(JSON.parse(end.stdout)).toMatchObject({ finishReason: "aborted" });
  });

  it("ends the program while it waits for a pipe", async () => {
    const { child, ended } = start(["run"]);
    await untilQuiet(child.pid ?? 0);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, signal: null, stdout: "", stderr: "" });
    child.stdin.end();
  });

  it("given again ends the program also when nobody reads its output", async () => {
    const child = spawn(process.execPath, [program, ...endless, "--json-stream"], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close").then(([code, signal]: unknown[]) => ({ code, signal }));
    child.stdout.pause();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const again = setInterval(() => child.kill("SIGINT"), 300);
    const { code, signal } = await once(child, "exit").then(([code_, signal_]: unknown[]) => ({ code: code_, signal: signal_ }));
    clearInterval(again);
    expect([130, "SIGINT"]).toContain(signal ?? code);
    child.stdout.resume();
    await ended;
  });
});
