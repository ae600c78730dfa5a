// Sessions on the real addon: what turns share is not computed again; saved ones go on as if
// nothing had been between; what is no saved session is refused.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../lib/model/load-model.js";
import type { Model } from "../../lib/model/model.js";
import { decodeSession } from "../fixtures/saved-session.js";
import { ENDLESS, GREEDY, loadTiny, patchedTiny, sleep, withFolder } from "../fixtures/tiny.js";

let model: Model;
beforeAll(async () => void (model = await loadTiny({ sequences: 2 })));
afterAll(() => model.close());

const TURNS = ["What is 2+3?", "Now add 5.", "Explain more!", "Now add 5."];

describe("a session", () => {
  it("answers as a chat of the same history does, and takes what was computed before from the cache", async () => {
    const cold = await loadTiny({ prefixCache: false });
    const session = model.session({ ...GREEDY });
    for (const [i, turn] of TURNS.entries()) {
      const warm = await session.send(turn).result();
      const messages = session.messages.slice(0, -1);
      const fresh = await cold.chat(messages, GREEDY).result();
      expect(fresh.usage.cachedTokens).toBe(0);
      expect(warm.tokens).toEqual(fresh.tokens);
      if (i > 0) expect(warm.usage.cachedTokens).toBeGreaterThan(5);
    }
    await cold.close();
  });

  it("computes again what it must with cachePrompt false", async () => {
    const question = [{ role: "user", content: "What is 7+8?" }] as const;
    await model.chat(question, GREEDY).result();
    expect((await model.chat(question, GREEDY).result()).usage.cachedTokens).toBeGreaterThan(0);
    expect(
      (await model.chat(question, { ...GREEDY, cachePrompt: false }).result()).usage.cachedTokens,
    ).toBe(0);
  });
});

describe("a saved session", () => {
  it("goes on exactly as the unbroken one, from a file or from bytes, in this model or in a new one", () =>
    withFolder(async (folder) => {
      const unbroken = model.session({ system: "Be brief.", ...GREEDY });
      await unbroken.send(TURNS[0] as string).result();
      await unbroken.send(TURNS[1] as string).result();
      const file = join(folder, "s.r1session");
      await unbroken.save(file);
      const bytes = await unbroken.save();
      expect(bytes).toEqual(new Uint8Array(readFileSync(file)));
      expect(readdirSync(folder)).toEqual(["s.r1session"]);
      const expected = await unbroken.send(TURNS[2] as string).result();

      const other = await loadTiny();
      for (const [host, from] of [
        [model, file],
        [other, file],
        [other, bytes],
      ] as const) {
        const restored = await host.restoreSession(from, GREEDY);
        expect(restored.messages.map((message) => message.role)).toEqual([
          "system",
          "user",
          "assistant",
          "user",
          "assistant",
        ]);
        const result = await restored.send(TURNS[2] as string).result();
        expect(result.tokens).toEqual(expected.tokens);
        expect(result.usage.cachedTokens).toBeGreaterThanOrEqual(expected.usage.cachedTokens);
        restored.reset();
        expect(restored.messages).toHaveLength(1);
      }
      await other.close();
    }));

  it("is as it was before a turn that is sent at once, cells included", async () => {
    const one = await loadTiny();
    const session = one.session(GREEDY);
    await session.send(TURNS[0] as string).result();
    const [saved, next] = await Promise.all([
      session.save(),
      session.send(TURNS[1] as string).result(),
    ]);
    expect(decodeSession(saved).messages).toHaveLength(2);
    expect(decodeSession(saved).tokens.length).toBeGreaterThan(5);
    const restored = await (
      await one.restoreSession(saved, GREEDY)
    )
      .send(TURNS[1] as string)
      .result();
    expect(restored.tokens).toEqual(next.tokens);
    await one.close();
  });

  it("of long turns is as it was before turns that are sent at once", async () => {
    const long = await loadTiny({ sequences: 2, contextSize: 8192 });
    // Long enough to be tokenised by a native thread.
    const text = "What is 2+3? ".repeat(300);
    const options = { ...GREEDY, reasoning: { mode: "off" }, maxTokens: 16 } as const;
    const first = long.session(options);
    await first.send(text).result();
    await first.send("Now add 5.").result();
    // A restored session knows no ids of its turns yet.
    const session = await long.restoreSession(await first.save(), options);
    const before = session.messages;
    const [one, two] = [session.save(), session.save()];
    const turn = session.send("Explain more!").result();
    const [bytes, again] = await Promise.all([one, two]);
    await turn;
    expect(session.messages).toHaveLength(before.length + 2);
    expect(again).toEqual(bytes);
    const restored = await long.restoreSession(bytes, options);
    expect(restored.messages).toEqual(before);
    const { usage } = await restored.send("Explain more!").result();
    expect(usage.cachedTokens).toBeGreaterThan(text.length / 4);
    await long.close();
  });

  it("has its cells also when a turn was given up just before", async () => {
    const one = await loadTiny();
    const session = one.session(GREEDY);
    await session.send(TURNS[0] as string).result();
    const before = await session.save();
    session.send("Tell me all.", ENDLESS).cancel();
    expect(await session.save()).toEqual(before);
    await one.close();
  });

  it("fits a model with more or fewer sequences, in one pool or with a share each", async () => {
    const layouts = [
      { sequences: 1 },
      { sequences: 3, kvUnified: true },
      { sequences: 3, contextSize: 6144, kvUnified: false },
      { sequences: 2, contextSize: 4096, kvUnified: false },
    ];
    const models = await Promise.all(layouts.map((layout) => loadTiny(layout)));
    for (const [i, from] of models.entries()) {
      // Others first, so that its cells lie in another sequence than the first.
      const session = from.session({ system: "Be brief.", ...GREEDY });
      const before = Array.from({ length: i }, () =>
        from.complete("x", { ...ENDLESS, maxTokens: 60 }),
      );
      await session.send(TURNS[0] as string).result();
      const bytes = await session.save();
      await Promise.all(before.map((run) => run.result()));
      const expected = await session.send(TURNS[1] as string).result();
      for (const to of models) {
        const result = await (
          await to.restoreSession(bytes, GREEDY)
        )
          .send(TURNS[1] as string)
          .result();
        expect(result.tokens).toEqual(expected.tokens);
        expect(result.usage.cachedTokens).toBeGreaterThan(5);
      }
    }
    await Promise.all(models.map((one) => one.close()));
  });

  it("without a turn yet, or whose cells are gone, goes on too", async () => {
    const empty = await model.restoreSession(await model.session({ system: "Be brief." }).save());
    expect(empty.messages).toHaveLength(1);
    const one = await loadTiny();
    const session = one.session(GREEDY);
    await session.send(TURNS[0] as string).result();
    // One sequence: another prompt takes its cells.
    await one.complete("something else", { ...GREEDY, maxTokens: 3 }).result();
    const restored = await one.restoreSession(await session.save(), GREEDY);
    expect((await restored.send(TURNS[1] as string).result()).tokens).toEqual(
      (await session.send(TURNS[1] as string).result()).tokens,
    );
    await one.close();
  });

  it("that is cut or altered anywhere is refused with STATE_INVALID", async () => {
    const session = model.session(GREEDY);
    await session.send(TURNS[0] as string).result();
    const bytes = await session.save();
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 40)) {
      await expect(model.restoreSession(bytes.subarray(0, at))).rejects.toMatchObject({
        code: "STATE_INVALID",
      });
      const altered = Uint8Array.from(bytes);
      altered[at] = (altered[at] as number) ^ 1;
      await expect(model.restoreSession(altered)).rejects.toMatchObject({ code: "STATE_INVALID" });
    }
    await expect(model.restoreSession(new Uint8Array(1000))).rejects.toMatchObject({
      code: "STATE_INVALID",
    });
  });

  it("of another file, cache type, layout or rope is refused with STATE_MISMATCH that names it", () =>
    withFolder(async (folder) => {
      const session = model.session(GREEDY);
      await session.send(TURNS[0] as string).result();
      const bytes = await session.save();
      const foreign = patchedTiny(folder, "general.architecture", "general.architecture");
      const all = readFileSync(foreign);
      all[all.length - 1] = (all[all.length - 1] as number) ^ 1;
      writeFileSync(foreign, all);
      for (const [loading, what] of [
        [loadModel(foreign, { threads: 1 }), "model"],
        [loadTiny({ cacheTypeK: "q8_0" }), "cacheTypeK"],
        [loadTiny({ flashAttention: "off" }), "flashAttentionOff"],
        [loadTiny({ rope: { freqBase: 5000 } }), "options"],
      ] as const) {
        const other = await loading;
        await expect(other.restoreSession(bytes)).rejects.toMatchObject({
          code: "STATE_MISMATCH",
          details: { what },
        });
        await other.close();
      }
    }));

  it("that is longer than a sequence of the model is refused with CONTEXT_FULL", async () => {
    const session = model.session({ ...GREEDY, reasoning: { mode: "off" } });
    await session.send("x ".repeat(300), { maxTokens: 3 }).result();
    const bytes = await session.save();
    const small = await loadTiny({ contextSize: 256 });
    await expect(small.restoreSession(bytes)).rejects.toMatchObject({ code: "CONTEXT_FULL" });
    await small.close();
  });

  it("is refused where it cannot be read or written, and nothing is left behind", () =>
    withFolder(async (folder) => {
      const session = model.session(GREEDY);
      await expect(model.restoreSession(join(folder, "none"))).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
      });
      await expect(model.restoreSession(folder)).rejects.toMatchObject({
        code: "FILE_IS_DIRECTORY",
      });
      await expect(session.save(join(folder, "no", "s"))).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
      });
      await expect(session.save(folder)).rejects.toMatchObject({ name: "R1Error" });
      await expect(session.save("")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(model.restoreSession(1 as never)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
      await expect(
        model.restoreSession(await session.save(), { system: "x" } as object),
      ).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
      await expect(
        model.restoreSession(await session.save(), { temperature: -1 }),
      ).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(readdirSync(folder)).toEqual([]);
    }));

  it("waits for no running request of others when it is saved, and is refused when no sequence is idle", async () => {
    // Room for what runs until it is ended.
    await using model = await loadTiny({ sequences: 2, contextSize: 65_536 });
    const session = model.session(GREEDY);
    await session.send(TURNS[0] as string).result();
    const busy = [model.complete("x", ENDLESS), model.complete("y", ENDLESS)];
    while (model.stats().running < 2) await sleep(1);
    await session.save();
    const bytes = await session.save();
    const restoring = model.restoreSession(bytes);
    await restoring.catch((error: unknown) => expect(error).toMatchObject({ code: "QUEUE_FULL" }));
    for (const run of busy) run.cancel();
    await Promise.all(busy.map((run) => run.result()));
  });
});
