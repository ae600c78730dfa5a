// What a server does, on a GPU: many sequences, several models, saved sessions, ends in the middle,
// a process of its own and its death. Long on a software device, so for hardware alone.
import { describe, expect, it, vi } from "vitest";
import { loadModel } from "../../../dist/index.js";
import { devices } from "../../../lib/machine/devices.js";
import { ENDLESS, GREEDY } from "../../fixtures/tiny.js";
import { childrenOf, isAlive } from "../../isolation/processes.js";
import { BACKEND, DEVICE, QUESTION, REPLY, answer, loadOnCpu, loadOnGpu } from "../tools.js";

const ALL = { gpuLayers: "all", contextSize: 8192 } as const;
const LONG = `<｜User｜>${"What is 1+1? ".repeat(233)}<｜Assistant｜>`;
const freeBytes = (): number =>
  devices(BACKEND).find(({ name }) => name === DEVICE)?.freeBytes ?? 0;

describe("sixteen sequences at once", () => {
  it("each give what they give on the CPU", async () => {
    const questions = Array.from(
      { length: 16 },
      (_, i) => [{ role: "user", content: `What is ${i + 2}+${i * 3 + 1}?` }] as const,
    );
    const ask = async (model: Awaited<ReturnType<typeof loadOnGpu>>): Promise<string[]> =>
      (
        await Promise.all(
          questions.map((messages) => model.chat(messages, { ...GREEDY, maxTokens: 200 }).result()),
        )
      ).map(({ text }) => text);
    const cpu = await loadOnCpu({ sequences: 16, contextSize: 16 * 512 });
    const expected = await ask(cpu);
    await cpu.close();
    const model = await loadOnGpu({ ...ALL, sequences: 16 });
    const found = await ask(model);
    await model.close();
    const equal = found.filter((text, i) => text === expected[i]).length;
    console.log(`${equal} of 16 replies are the CPU's, letter by letter`);
    expect(found).toEqual(expected);
  });
});

describe("a saved session", () => {
  it("goes on with the same tokens on the GPU, and on the CPU with the saved cells", async () => {
    const model = await loadOnGpu(ALL);
    const session = model.session({ system: "Be brief.", ...GREEDY });
    await session.send("What is 1+1?").result();
    const saved = await session.save();
    const unbroken = await session.send("What is 5+5?").result();
    await model.close();
    for (const load of [loadOnGpu, loadOnCpu]) {
      const other = await load(load === loadOnGpu ? ALL : { contextSize: 8192 });
      const restored = await (
        await other.restoreSession(saved, GREEDY)
      )
        .send("What is 5+5?")
        .result();
      expect(restored.text).toBe(unbroken.text);
      expect(restored.usage.cachedTokens).toBeGreaterThanOrEqual(unbroken.usage.cachedTokens);
      await other.close();
    }
  });
});

describe("two models on one GPU", () => {
  it("answer side by side, and one goes on when the other closes", async () => {
    const models = await Promise.all([loadOnGpu(ALL), loadOnGpu(ALL)]);
    const [first, second] = await Promise.all(models.map((model) => answer(model)));
    expect(first?.text).toBe(second?.text);
    const run = models[1].complete("<｜User｜>Hello<｜Assistant｜>", {
      ...GREEDY,
      ...ENDLESS,
      maxTokens: 400,
    });
    await models[0].close();
    expect((await run.result()).tokens).toHaveLength(400);
    expect((await answer(models[1])).text).toBe(first?.text);
    await models[1].close();
  });
});

describe("the GPU's memory", () => {
  it("is told less while a model is there, by what the model says it holds, and comes back", async () => {
    await (await loadOnGpu(ALL)).close(); // what the driver keeps
    const before = freeBytes();
    const model = await loadOnGpu({ ...ALL, sequences: 16, contextSize: 16 * 4096 });
    const held = model.info.memory.find(({ device }) => device === DEVICE)!;
    const bytes = held.weightBytes + held.cacheBytes + held.computeBytes;
    const taken = before - freeBytes();
    await answer(model);
    const used = before - freeBytes();
    await model.close();
    const left = before - freeBytes();
    console.log(
      `the model says ${bytes} bytes; ${taken} fewer are free when it is loaded, ${used} after an answer, ${left} when it is closed`,
    );
    expect(taken).toBeGreaterThan(0.9 * bytes);
    expect(taken).toBeLessThan(bytes + 300e6);
    expect(left).toBeLessThan(0.1 * bytes + 64e6);
  });
});

describe("closing", () => {
  it("in a prompt and while sixteen decode ends them, and the next model answers", async () => {
    const expected = await loadOnGpu(ALL).then(async (model) => {
      const { text } = await answer(model);
      await model.close();
      return text;
    });
    for (let i = 0; i < 3; i++) {
      const model = await loadOnGpu({ ...ALL, sequences: 16 });
      const runs = Array.from({ length: 16 }, (_, j) =>
        model.complete(j === 0 ? LONG : `${j}`, { ...GREEDY, ...ENDLESS }),
      );
      const ends = runs.map((run) =>
        run.result().then(
          ({ finishReason }) => finishReason,
          (error: unknown) => (error as { code: string }).code,
        ),
      );
      if (i > 0)
        await vi.waitFor(() => expect(model.stats().steps).toBeGreaterThan(20 * i), {
          timeout: 20_000,
          interval: 1,
        });
      await model.close();
      const found = new Set(await Promise.all(ends));
      expect(
        [...found].every((end) => ["aborted", "DISPOSED"].includes(end)),
        [...found].join(" "),
      ).toBe(true);
    }
    const next = await loadOnGpu(ALL);
    expect((await answer(next)).text).toBe(expected);
    await next.close();
  });
});

describe("a prompt of many micro-batches after a short one", () => {
  it.each([32, 512])("is answered, with micro-batches of %i", async (ubatchSize) => {
    const model = await loadOnGpu({ ...ALL, ubatchSize, batchSize: Math.max(64, ubatchSize) });
    const { tokens } = await model.chat([...QUESTION], { ...GREEDY, maxTokens: 24 }).result();
    expect(tokens.length).toBeGreaterThan(0);
    const { usage, finishReason } = await model
      .complete(LONG, { ...GREEDY, maxTokens: 16 })
      .result();
    expect(usage.promptTokens).toBeGreaterThan(1300);
    expect(["stop", "length"]).toContain(finishReason);
    await model.close();
  });
});

describe("a model in a process of its own", () => {
  const isolated = { ...BACKEND, ...ALL, threads: 1, isolation: "process" } as const;
  const children = (): number[] => childrenOf(process.pid, "engine-child");

  it("answers as one in this process; its death is told, gives the memory back, and the next one answers", async () => {
    const here = await loadOnGpu(ALL);
    const { text } = await answer(here);
    await here.close();
    const before = freeBytes();
    const model = await loadModel(isolated);
    expect(model.info.devices).toEqual([DEVICE, "CPU"]);
    expect((await model.chat([...QUESTION], REPLY).result()).text).toBe(text);
    for (const stage of ["in a prompt", "while it decodes"]) {
      const others = children();
      const victim = await loadModel(isolated);
      const child = children().find((id) => !others.includes(id));
      const run = victim.complete(stage === "in a prompt" ? LONG : "x", { ...GREEDY, ...ENDLESS });
      const end = expect(run.result()).rejects.toMatchObject({
        code: "ENGINE_CRASHED",
        details: { signal: "SIGKILL" },
      });
      if (stage === "in a prompt")
        await vi.waitFor(() => expect(victim.stats().running).toBe(1), {
          timeout: 20_000,
          interval: 1,
        });
      else
        await vi.waitFor(() => expect(victim.stats().steps).toBeGreaterThan(10), {
          timeout: 20_000,
          interval: 1,
        });
      process.kill(child!, "SIGKILL");
      await end;
      await victim.close();
      expect(isAlive(child!)).toBe(false);
      expect((await model.chat([...QUESTION], REPLY).result()).text).toBe(text);
    }
    await model.close();
    await vi.waitFor(() => expect(before - freeBytes()).toBeLessThan(64e6), { timeout: 20_000 });
    expect(children()).toEqual([]);
  });
});
