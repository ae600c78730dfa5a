// Worker threads: two at once, terminated at any stage, beside the main thread's model. Each case
// in a child process, against the built library.
import { describe, expect, it } from "vitest";
import { runChild } from "../fixtures/child.js";

const ANSWER = `const m = await load(); post((await m.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 }).result()).answer); await m.close();`;

async function passes(snippet: string, stdout = ""): Promise<void> {
  const outcome = await runChild(snippet);
  expect(outcome, outcome.stderr).toEqual({ code: 0, signal: null, stdout, stderr: "" });
}

describe("worker threads", () => {
  it("two at once load and answer, and so does the main thread", () =>
    passes(
      `const code = ${JSON.stringify(ANSWER)};
      const workers = [worker(code), worker(code)];
      const model = await load();
      const [a, b, c] = await Promise.all([...workers.map(nextMessage), model.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 }).result()]);
      console.log(a, b, c.answer);
      await model.close();`,
      "It's 2. It's 2. It's 2.\n",
    ));

  it("end by themselves with an idle model", () =>
    passes(`const w = worker("await load();"); await nextEvent(w, "exit");`));

  it("can be terminated while loading, at any moment", () =>
    passes(
      `for (let delay = 40; delay < 140; delay += 20) { const w = worker("await load();"); await sleep(delay); await w.terminate(); }`,
    ));

  it("can be terminated during a prompt", () =>
    passes(
      `const w = worker('const m = await load(); post(1); m.complete("x ".repeat(3000), endless);');
      await nextMessage(w); await sleep(10); await w.terminate();`,
    ));

  it("can be terminated while decoding, again and again", () =>
    passes(
      `for (let i = 0; i < 5; i++) {
        const w = worker('const m = await load(); for await (const p of m.complete("x", endless)) post(1);');
        await nextMessage(w); await w.terminate();
      }`,
    ));

  it("can be terminated while closing", () =>
    passes(
      `const w = worker('const m = await load(); m.complete("x", endless); m.close(); post(1);'); await nextMessage(w); await w.terminate();`,
    ));

  it("can call process.exit while decoding", () =>
    passes(
      `const w = worker('const m = await load(); for await (const p of m.complete("x", endless)) if (p.text) process.exit(0);'); await nextEvent(w, "exit");`,
    ));

  it("do not keep the main thread from process.exit while they decode", async () => {
    const outcome = await runChild(
      `const w = worker('const m = await load(); for await (const p of m.complete("x", endless)) post(1);'); await nextMessage(w); process.exit(9);`,
    );
    expect(outcome, outcome.stderr).toMatchObject({ code: 9, signal: null, stderr: "" });
  });

  it("leave the main thread's generation untouched when they are terminated", () =>
    passes(
      `const m = await load();
      const run = m.complete("x", { ...endless, temperature: 0, maxTokens: 400 });
      const w = worker('const m = await load(); for await (const p of m.complete("x", endless)) post(1);');
      await nextMessage(w); await w.terminate();
      console.log((await run.result()).tokens.length); await m.close();`,
      "400\n",
    ));

  it("get their own log lines when they listen", () =>
    passes(
      `const w = worker('const lines = []; const m = await load({ logger: (e) => lines.push(e) }); await m.close(); post(lines.length > 20);');
      console.log(await nextMessage(w));`,
      "true\n",
    ));
});
