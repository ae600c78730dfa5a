// A process ends cleanly at whatever moment: by itself, by process.exit, by an uncaught error, by a
// signal's default. Each in a child process, against the built library.
import { describe, expect, it } from "vitest";
import { runChild, type ChildOutcome } from "../fixtures/child.js";

/** Node's exit code after an uncaught error. */
const UNCAUGHT = 1;

const THROWS_MID_LOAD = `load({ onProgress: () => setImmediate(() => { throw new Error("mine"); }) });`;

const CASES: readonly (readonly [name: string, code: number, snippet: string])[] = [
  [
    "by itself with an idle model that nobody closed",
    0,
    `const m = await load(); await m.complete("x", { maxTokens: 5 }).result();`,
  ],
  ["by itself with a model that was never used", 0, `await load();`],
  [
    "by itself with a logger",
    0,
    `const m = await load({ logger: () => {} }); await m.complete("x", { maxTokens: 5 }).result();`,
  ],
  ["by process.exit right after loadModel is called", 3, `load(); process.exit(3);`],
  [
    "by process.exit while the files are checked",
    3,
    `load(); setTimeout(() => process.exit(3), 2);`,
  ],
  ["by process.exit while the weights load", 3, `load({ onProgress: () => process.exit(3) });`],
  [
    "by process.exit while the context is made",
    3,
    `load({ onProgress: (value) => value > 0.9 && process.exit(3) });`,
  ],
  [
    "by process.exit during a prompt",
    4,
    `const m = await load(); m.complete(long); setTimeout(() => process.exit(4), 20);`,
  ],
  [
    "by process.exit while decoding",
    5,
    `const m = await load(); m.complete("x", endless); setTimeout(() => process.exit(5), 50);`,
  ],
  [
    "by process.exit inside the loop",
    6,
    `const m = await load(); for await (const p of m.complete("x", endless)) if (p.text) process.exit(6);`,
  ],
  [
    "by process.exit with 16 running",
    5,
    `const m = await load({ sequences: 16 }); for (let i = 0; i < 16; i++) m.complete("x" + i, endless); setTimeout(() => process.exit(5), 100);`,
  ],
  [
    "by process.exit while closing",
    7,
    `const m = await load(); m.complete("x", endless); await sleep(20); m.close(); process.exit(7);`,
  ],
  ["by process.exit after close()", 8, `const m = await load(); await m.close(); process.exit(8);`],
  ["by an uncaught error while loading", UNCAUGHT, THROWS_MID_LOAD],
  [
    "by an uncaught error during a prompt",
    UNCAUGHT,
    `const m = await load(); m.complete(long); setTimeout(() => { throw new Error("mine"); }, 20);`,
  ],
  [
    "by an uncaught error while decoding",
    UNCAUGHT,
    `const m = await load(); m.complete("x", endless); setTimeout(() => { throw new Error("mine"); }, 50);`,
  ],
  [
    "by an error thrown inside the loop",
    UNCAUGHT,
    `const m = await load(); for await (const p of m.complete("x", endless)) if (p.text) throw new Error("mine");`,
  ],
];

describe("a process ends cleanly", () => {
  it.each(CASES)("%s, with code %d", async (_name, code, snippet) => {
    const outcome = await runChild(snippet);
    expect(outcome, outcome.stderr).toMatchObject({ code, signal: null });
    if (code === UNCAUGHT) expect(outcome.stderr).toContain("mine");
    else expect(outcome.stderr).toBe("");
  });

  // llama.cpp makes static objects in the midst of loading, which C destroys before anything that
  // was made earlier: one in four such ends was a crash once.
  it("by an uncaught error while the weights load, twelve times over", async () => {
    const outcomes: ChildOutcome[] = [];
    for (let i = 0; i < 12; i++) outcomes.push(await runChild(THROWS_MID_LOAD));
    expect(outcomes.map(({ code, signal }) => signal ?? code)).toEqual(
      outcomes.map(() => UNCAUGHT),
    );
  });

  it("although a listener to its end loads another model", async () => {
    const outcome = await runChild(
      `process.on("exit", () => load().catch(() => {})); load({ onProgress: () => process.exit(3) });`,
    );
    expect(outcome).toEqual({ code: 3, signal: null, stdout: "", stderr: "" });
  });

  it("although a listener to its end throws", async () => {
    const outcome = await runChild(
      `process.prependListener("exit", () => { throw new Error("mine"); }); load({ onProgress: () => setImmediate(process.exit, 3) });`,
    );
    expect(outcome).toMatchObject({ signal: null });
    expect(outcome.stderr).toContain("mine");
  });

  it("by process.exit while a worker, and nobody else, loads a model", async () => {
    const outcome = await runChild(
      `worker("load({ onProgress: () => post(1) });").once("message", () => process.exit(3));`,
    );
    expect(outcome).toEqual({ code: 3, signal: null, stdout: "", stderr: "" });
  });

  it("only once a running generation is done, although nobody waits for it", async () => {
    const outcome = await runChild(
      `const m = await load(); m.complete("x", { ...endless, maxTokens: 300 }).result().then((r) => console.log(r.tokens.length));`,
    );
    expect(outcome).toMatchObject({ code: 0, stdout: "300\n" });
  });

  it("and quietly: nothing is printed by native code", async () => {
    const outcome = await runChild(
      `const m = await load(); await m.complete("x", { maxTokens: 5 }).result(); await m.close();`,
    );
    expect(outcome).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
  });
});

describe("a program in CommonJS", () => {
  it("can require the library", async () => {
    const outcome = await runChild(`
      import { createRequire } from "node:module";
      const { loadModel: required } = createRequire(import.meta.url)(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).pathname)});
      const m = await required({ threads: 1 });
      console.log((await m.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 }).result()).answer);
      await m.close();`);
    expect(outcome.stdout).toBe("It's 2.\n");
    expect(outcome.code).toBe(0);
  });
});
