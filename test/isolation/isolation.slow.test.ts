// Models in processes of their own: the same answers, and a death that is told and harms nobody
// else. Starts children of the test process; needs dist/ and the addon.
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadModel, startRpcServer } from "../../dist/index.js";
import type { LoadOptions, Model } from "../../dist/index.js";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { start } from "../cli/program.js";
import { ENDLESS, GREEDY } from "../fixtures/tiny.js";
import { childrenOf, isAlive } from "./processes.js";

const PROGRAM = "engine-child";
const QUESTION = [{ role: "user", content: "What is 12+30?" }] as const;
const LONG = `<｜User｜>${"What is 1+1? ".repeat(700)}<｜Assistant｜>`;

const load = (options: LoadOptions = {}): Promise<Model> =>
  loadModel({ threads: 1, contextSize: 8192, ...options });

/** On a machine that does much else a child gets its turn late. */
const PATIENT = { timeout: 60_000, interval: 2 };

/** The one child of this process that holds a model. */
async function engineChild(): Promise<number> {
  return vi.waitFor(() => {
    const [child, ...others] = childrenOf(process.pid, PROGRAM);
    if (child === undefined || others.length > 0)
      throw new Error(`${others.length + Number(child !== undefined)} children`);
    return child;
  }, PATIENT);
}

// A test that fails must not fail the next one: what it left running ends.
afterEach(() => {
  for (const child of childrenOf(process.pid, PROGRAM)) process.kill(child, "SIGKILL");
});

/** What a model answers in several ways, all of them without chance. */
async function answers(model: Model): Promise<unknown> {
  const session = model.session({ system: "Reply in Chinese." });
  await session.send("What is 1+1?", GREEDY).result();
  // What is saved is what was there before the turn that follows at once.
  const [saved, unbroken] = await Promise.all([
    session.save(),
    session.send("What is 5+5?", GREEDY).result(),
  ]);
  const restored = await (await model.restoreSession(saved)).send("What is 5+5?", GREEDY).result();
  expect(restored.tokens).toEqual(unbroken.tokens);
  expect(restored.usage.cachedTokens).toBeGreaterThanOrEqual(unbroken.usage.cachedTokens);
  const stopped = await model.chat(QUESTION, { ...GREEDY, stop: ["42"] }).result();
  // How much is drafted depends on the clock, and low bits of sampled tokens on that.
  const seeded = await model.chat(QUESTION, { seed: 3407, speculation: false }).result();
  const raw = await model
    .complete("<｜User｜>What is 7*8?<｜Assistant｜>", { ...GREEDY, logprobs: true })
    .result();
  const whole = [unbroken, stopped, seeded, raw];
  return whole.map(({ text, tokens, finishReason, usage }) => ({
    text,
    tokens: [...tokens],
    finishReason,
    usage,
  }));
}

describe("a model in a process of its own", () => {
  it.each<[string, LoadOptions]>([
    ["one sequence", {}],
    ["q4_0 cache", { cacheTypeK: "q4_0" }],
    ["deterministic", { deterministic: true, sequences: 2 }],
    ["a draft model", { draftModel: DEFAULT_MODEL_PATH }],
  ])("answers as one in this process: %s", async (_, options) => {
    const here = await load(options);
    const expected = await answers(here);
    const { info } = here;
    const ids = here.tokenizer.encode("Hello 你好");
    await here.close();
    const there = await load({ ...options, isolation: "process" });
    expect(await answers(there)).toEqual(expected);
    expect(there.info.cache).toEqual(info.cache);
    expect(there.tokenizer.encode("Hello 你好")).toEqual(ids);
    const child = await engineChild();
    await there.close();
    expect(isAlive(child)).toBe(false);
  });

  it("stops a long prompt, and refuses what does not fit its queue", async () => {
    const model = await load({ isolation: "process", maxQueue: 1 });
    const first = model.complete(LONG, { ...GREEDY, ...ENDLESS });
    const second = model.complete(LONG, { ...GREEDY, ...ENDLESS });
    await expect(model.complete(LONG, GREEDY).result()).rejects.toMatchObject({
      code: "QUEUE_FULL",
      details: { sequences: 1, maxQueue: 1, underWay: 2, waiting: 1 },
    });
    first.cancel();
    second.cancel();
    expect([(await first.result()).finishReason, (await second.result()).finishReason]).toEqual([
      "aborted",
      "aborted",
    ]);
    expect((await model.chat(QUESTION, GREEDY).result()).answer).toContain("42");
    await model.close();
  });

  it.each(["none", "process"] as const)(
    "has no room to restore a session while all is busy, and gives the counts: isolation %s",
    async (isolation) => {
      const model = await load({ isolation });
      const session = model.session();
      await session.send("What is 1+1?", GREEDY).result();
      const bytes = await session.save();
      const run = model.complete("<｜User｜>hi<｜Assistant｜>", { ...GREEDY, ...ENDLESS });
      for await (const part of run)
        if (part.type.endsWith("-delta")) {
          await expect(model.restoreSession(bytes)).rejects.toMatchObject({
            code: "QUEUE_FULL",
            details: { sequences: 1, maxQueue: 1024, underWay: 1, waiting: 0, preparing: 0 },
          });
          break;
        }
      await model.close();
    },
  );

  it("ends its replies before it closes with drainMs, and says which one it cut off", async () => {
    const model = await load({ isolation: "process" });
    const [first, second] = [model.chat(QUESTION, GREEDY), model.chat(QUESTION, GREEDY)];
    await model.close({ drainMs: 60_000 });
    for (const run of [first, second]) expect((await run.result()).answer).toContain("42");
    const other = await load({ isolation: "process" });
    const endless = other.complete("<｜User｜>hi<｜Assistant｜>", { ...GREEDY, ...ENDLESS });
    const ended = expect(endless.result()).rejects.toMatchObject({
      code: "DISPOSED",
      message: expect.stringContaining("while this reply was being generated") as unknown,
    });
    await other.close({ drainMs: 50 });
    await ended;
  });

  it("takes backendDir, which is to be a folder", async () => {
    const nowhere = load({ isolation: "process", backendDir: "/no/such/folder" });
    await expect(nowhere).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      details: { option: "backendDir" },
    });
    const model = await load({ isolation: "process", backendDir: "." });
    expect((await model.chat(QUESTION, GREEDY).result()).answer).toContain("42");
    await model.close();
  });
});

describe("the death of its process", () => {
  const KILLS = 5;
  const crashed = { code: "ENGINE_CRASHED", details: { signal: "SIGKILL" } };

  it.each(["while it loads", "in a prompt", "while it decodes", "while it has nothing to do"])(
    `fails what runs with ENGINE_CRASHED and leaves this process well: %s, ${KILLS} times`,
    async (stage) => {
      for (let kill = 0; kill < KILLS; kill++) {
        const loading = load({ isolation: "process" });
        if (stage === "while it loads") {
          const failure = expect(loading).rejects.toMatchObject(crashed);
          process.kill(await engineChild(), "SIGKILL");
          await failure;
          continue;
        }
        const model = await loading;
        const child = await engineChild();
        if (stage === "while it has nothing to do") process.kill(child, "SIGKILL");
        else {
          const run = model.complete(
            stage === "in a prompt" ? LONG : "<｜User｜>What is 1+1?<｜Assistant｜>",
            { ...GREEDY, ...ENDLESS },
          );
          if (stage === "in a prompt")
            await vi.waitFor(() => expect(model.stats().running).toBe(1), PATIENT);
          else for await (const part of run) if (part.type === "reasoning-delta") break;
          const [running, waiting] = [
            model.complete(LONG, { ...GREEDY, ...ENDLESS }),
            model.complete(LONG, GREEDY),
          ];
          const failures = [running, waiting].map((each) =>
            expect(each.result()).rejects.toMatchObject(crashed),
          );
          if (stage === "in a prompt")
            failures.push(expect(run.result()).rejects.toMatchObject(crashed));
          process.kill(child, "SIGKILL");
          await Promise.all(failures);
        }
        // An engine that is gone rejects, as one that goes meanwhile does.
        await vi.waitFor(
          () =>
            expect(model.chat(QUESTION).result()).rejects.toMatchObject({
              code: "ENGINE_CRASHED",
            }),
          PATIENT,
        );
        await model.close();
      }
      const next = await load({ isolation: "process" });
      expect((await next.chat(QUESTION, GREEDY).result()).answer).toContain("42");
      await next.close();
    },
  );

  it(`while it closes is no failure, ${KILLS} times`, async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const model = await load({ isolation: "process" });
      const child = await engineChild();
      const closing = model.close();
      process.kill(child, "SIGKILL");
      await closing;
      expect(isAlive(child)).toBe(false);
    }
  });

  it("follows that of its parent, however that ends", async () => {
    const program = start(["chat", "--isolation", "process", "-t", "1"]);
    program.child.stdin.write("What is 1+1?\n");
    await program.stdout.until("</think>");
    const [child] = childrenOf(program.child.pid as number, PROGRAM);
    expect(isAlive(child as number)).toBe(true);
    program.child.kill("SIGKILL");
    await program.ended;
    await vi.waitFor(() => expect(isAlive(child as number)).toBe(false), { timeout: 20_000 });
  });
});

describe("a model over two rpc-servers", () => {
  it.each(["f16", "q4_0"] as const)(
    "gives the ids it gives here, with a cache of %s",
    async (cacheTypeK) => {
      const here = await load({ cacheTypeK });
      const expected = (await here.chat(QUESTION, GREEDY).result()).tokens;
      await here.close();
      const servers = [
        await startRpcServer({ port: 0, threads: 1 }),
        await startRpcServer({ port: 0, threads: 1 }),
      ];
      const there = await load({
        cacheTypeK,
        rpc: servers.map(({ endpoint }) => endpoint),
        gpuLayers: "all",
        tensorSplit: [1, 1],
      });
      expect(there.info.devices).toEqual(expect.arrayContaining(["RPC0", "RPC1"]));
      expect((await there.chat(QUESTION, GREEDY).result()).tokens).toEqual(expected);
      await there.close();
      await Promise.all(servers.map((server) => server.close()));
    },
  );

  it("fails with ENGINE_CRASHED when one of them ends, and this process goes on", async () => {
    const servers = [
      await startRpcServer({ port: 0, threads: 1 }),
      await startRpcServer({ port: 0, threads: 1 }),
    ];
    const model = await load({
      rpc: servers.map(({ endpoint }) => endpoint),
      gpuLayers: "all",
      tensorSplit: [1, 1],
    });
    const run = model.complete("<｜User｜>What is 1+1?<｜Assistant｜>", { ...GREEDY, ...ENDLESS });
    const ended = expect(
      (async () => {
        for await (const part of run) if (part.type === "reasoning-delta") void servers[1]?.close();
      })(),
    ).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    await ended;
    await model.close();
    await servers[0]?.close();
  });
});
