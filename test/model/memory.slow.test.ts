// Nothing stays behind: dropped models are collected, loads and generations in a row take no more
// memory. In child processes with a garbage collector at hand.
import { describe, expect, it } from "vitest";
import { runChild } from "../fixtures/child.js";

const GC = { args: ["--expose-gc"] };

/** Collects until a WeakRef is empty, or gives up. */
const COLLECT = `
const collected = async (ref) => {
  // deref() keeps its object for the rest of the turn, so that the collector gets a turn before it.
  for (let i = 0; i < 50; i++) { await sleep(20); gc(); if (ref.deref() === undefined) return true; await sleep(0); }
  return false;
};
const rss = async () => { for (let i = 0; i < 3; i++) { gc(); await sleep(20); } return process.memoryUsage.rss() / 2 ** 20; };
`;

async function prints(snippet: string, stdout: string): Promise<void> {
  const outcome = await runChild(COLLECT + snippet, GC);
  expect(outcome, outcome.stderr).toEqual({ code: 0, signal: null, stdout, stderr: "" });
}

describe("a model", () => {
  it("that was closed is collected", () =>
    prints(
      `let m = await load(); await m.complete("x", { maxTokens: 3 }).result(); await m.close(); const ref = new WeakRef(m); m = undefined; console.log(await collected(ref));`,
      "true\n",
    ));

  it("that was dropped without close() is collected, and the process goes on", () =>
    prints(
      `let m = await load(); await m.complete("x", { maxTokens: 3 }).result(); const ref = new WeakRef(m); m = undefined;
      console.log(await collected(ref)); const other = await load(); console.log((await other.complete("x", { maxTokens: 3 }).result()).tokens.length);`,
      "true\n3\n",
    ));

  it("stays alive while a generation of it runs, although it was dropped", () =>
    prints(
      `let run = (await load()).complete("x", { ...endless, maxTokens: 400 }); for (let i = 0; i < 5; i++) { gc(); await sleep(10); } console.log((await run.result()).tokens.length);`,
      "400\n",
    ));

  it("takes no more memory the fortieth time it is loaded and closed", async () => {
    const outcome = await runChild(
      `${COLLECT} const once = async () => { const m = await load(); await m.complete("x", { maxTokens: 3 }).result(); await m.close(); };
      for (let i = 0; i < 15; i++) await once(); const before = await rss(); for (let i = 0; i < 25; i++) await once(); console.log(Math.round(await rss() - before));`,
      GC,
    );
    expect(outcome.code, outcome.stderr).toBe(0);
    // Weights are 7 MB and the context 20 MB: one leak each time would be hundreds.
    expect(Number(outcome.stdout)).toBeLessThan(60);
  });
});

describe("generations", () => {
  it("take no more memory the two-thousandth time, whether read, dropped or given up", async () => {
    const outcome = await runChild(
      `${COLLECT} const m = await load();
      const round = async () => { for (let i = 0; i < 250; i++) {
        await m.complete("x" + i, { maxTokens: 4 }).result();
        const dropped = m.complete("y" + i, endless); for await (const p of dropped) if (p.text) break;
        const c = new AbortController(); const run = m.complete("z", { ...endless, signal: c.signal }); c.abort(); await run.result();
      } };
      await round(); const before = await rss(); await round(); await round(); console.log(Math.round(await rss() - before)); await m.close();`,
      GC,
    );
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(Number(outcome.stdout)).toBeLessThan(40);
  });

  it("are collected once nobody holds them", () =>
    prints(
      `const m = await load(); let run = m.complete("x", { maxTokens: 3 }); await run.result(); const ref = new WeakRef(run); run = undefined; console.log(await collected(ref));`,
      "true\n",
    ));
});
