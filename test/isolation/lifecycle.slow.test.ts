// Isolated models in worker threads, and in processes that end at any moment: the process ends as
// it was told to, and no child outlives it. Each case in a child process, against the built
// library.
import { describe, expect, it, vi } from "vitest";
import { runChild, type ChildOutcome } from "../fixtures/child.js";
import { isAlive } from "./processes.js";

/**
 * `isolated()` loads one; `children()` tells the ids of the processes that hold models; `tell()`
 * writes them down, for the test to look whether they are gone.
 */
const PRELUDE = `
import { readdirSync, readFileSync, writeSync } from "node:fs";
const isolated = (options) => load({ isolation: "process", ...options });
const children = () => readdirSync("/proc").filter((id) => {
  try {
    return Number(readFileSync("/proc/" + id + "/stat", "utf8").replace(/^.*\\) . /s, "").split(" ")[0]) === process.pid && readFileSync("/proc/" + id + "/cmdline", "utf8").includes("engine-child");
  } catch { return false; }
});
const tell = () => { const found = children(); writeSync(1, "children " + found.join(" ") + "\\n"); return found.length; };
const ANSWER = 'const m = await load({ isolation: "process" }); post((await m.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 }).result()).answer); setInterval(() => m, 1000);';
`;

/** Runs a snippet, and waits until every child it told of is gone. */
async function runAndLook(snippet: string): Promise<ChildOutcome> {
  const outcome = await runChild(PRELUDE + snippet);
  const told = [...outcome.stdout.matchAll(/^children (.*)$/gm)].flatMap(([, ids = ""]) =>
    ids
      .split(" ")
      .filter((id) => id !== "")
      .map(Number),
  );
  expect(told.length, outcome.stderr).toBeGreaterThan(0);
  await vi.waitFor(() => expect(told.filter(isAlive)).toEqual([]), { timeout: 20_000 });
  return outcome;
}

const ENDS: readonly (readonly [name: string, code: number, snippet: string])[] = [
  ["by itself with an idle model that nobody closed", 0, `await isolated(); tell();`],
  [
    "by itself once a running generation is done",
    0,
    `const m = await isolated(); tell(); m.complete("x", { ...endless, maxTokens: 200 }).result().then((r) => { if (r.tokens.length !== 200) process.exitCode = 1; });`,
  ],
  [
    "by process.exit while loading",
    3,
    `isolated({ onProgress: () => { tell(); process.exit(3); } });`,
  ],
  [
    "by process.exit during a prompt",
    4,
    `const m = await isolated(); tell(); m.complete(long); setTimeout(() => process.exit(4), 20);`,
  ],
  [
    "by process.exit inside the loop",
    5,
    `const m = await isolated(); tell(); for await (const p of m.complete("x", endless)) if (p.text) process.exit(5);`,
  ],
  [
    "by process.exit while closing",
    6,
    `const m = await isolated(); tell(); m.complete("x", endless); m.close(); process.exit(6);`,
  ],
  [
    "by an uncaught error while decoding",
    1,
    `const m = await isolated(); tell(); m.complete("x", endless); setTimeout(() => { throw new Error("mine"); }, 50);`,
  ],
];

describe("a process with an isolated model", () => {
  it.each(ENDS)("ends %s, with code %d, and its child with it", async (_name, code, snippet) => {
    const outcome = await runAndLook(snippet);
    expect(outcome, outcome.stderr).toMatchObject({ code, signal: null });
    if (code === 1) expect(outcome.stderr).toContain("mine");
    else expect(outcome.stderr).toBe("");
  });
});

describe("isolated models in worker threads", () => {
  it("two at once answer, beside one of the main thread, each in a process of its own", async () => {
    const { code, stdout, stderr } = await runAndLook(`
      const workers = [worker(ANSWER), worker(ANSWER)];
      const model = await isolated();
      const answers = await Promise.all([...workers.map(nextMessage), model.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 }).result().then((r) => r.answer)]);
      console.log(JSON.stringify(answers), tell());
      await Promise.all([...workers.map((w) => w.terminate()), model.close()]);`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`["It's 2.","It's 2.","It's 2."] 3`);
  });

  it.each([
    ["while loading", `await load({ isolation: "process", onProgress: () => post(1) });`],
    ["with an idle model", `await load({ isolation: "process" }); post(1);`],
    [
      "during a prompt",
      `const m = await load({ isolation: "process" }); m.complete("x ".repeat(3000), endless); post(1);`,
    ],
    [
      "while decoding",
      `const m = await load({ isolation: "process" }); for await (const p of m.complete("x", endless)) post(1);`,
    ],
    [
      "while closing",
      `const m = await load({ isolation: "process" }); m.complete("x", endless); m.close(); post(1);`,
    ],
  ])("can be terminated %s, again and again, and their children end", async (_stage, code) => {
    const outcome = await runAndLook(`
      for (let i = 0; i < 3; i++) {
        const w = worker(${JSON.stringify(code)});
        await nextMessage(w); tell(); await w.terminate();
      }
      while (children().length > 0) await sleep(10);`);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, signal: null, stderr: "" });
  });

  it("tell their own generations of a death, and nobody else's", async () => {
    const { code, stdout, stderr } = await runAndLook(`
      const model = await isolated();
      const [own] = children();
      tell();
      const run = model.complete("x", { ...endless, maxTokens: 400 });
      const w = worker('const m = await load({ isolation: "process" }); try { for await (const p of m.complete("x", endless)) post("on"); } catch (e) { post(e.code); }');
      const said = [];
      await new Promise((resolve) => w.on("message", (message) => {
        said.push(message);
        if (said.length === 1) process.kill(Number(children().find((id) => id !== own)), "SIGKILL");
        if (message !== "on") resolve();
      }));
      console.log(said.at(-1), (await run.result()).tokens.length);
      await model.close(); await w.terminate();`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("ENGINE_CRASHED 400");
  });
});
