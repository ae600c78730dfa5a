// Claims about close(): what ends at once, what may end by itself, and what is refused meanwhile;
// over a fake addon.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Model } from "../../lib/model/model.js";
import { FakeAddon } from "../fixtures/fake-addon.js";

const state = vi.hoisted((): { addon: unknown } => ({ addon: undefined }));
vi.mock("../../lib/binding/load.js", () => ({
  native: () => state.addon,
  initialize: () => undefined,
  initializeInBackground: async () => undefined,
  addonFolder: () => "/nowhere",
}));
const { loadModel } = await import("../../lib/model/load-model.js");

let addon: FakeAddon;
let model: Model;

beforeEach(async () => {
  state.addon = addon = new FakeAddon();
  model = await loadModel({ maxQueue: 2 });
  addon.reply = null;
});

const CUT = {
  code: "DISPOSED",
  message: expect.stringContaining("closed while this reply was being generated") as unknown,
};
const NOT_BEGUN = {
  code: "DISPOSED",
  message: expect.stringContaining("closed before this reply began. To let replies") as unknown,
};
const refused = expect.objectContaining({ code: "DISPOSED" }) as unknown;
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol();
  const turn = new Promise((resolve) => setImmediate(() => resolve(pending)));
  return (await Promise.race([promise, turn])) !== pending;
};

describe("close({ drainMs })", () => {
  it("refuses what is new, and lets what runs and what waits end", async () => {
    const session = model.session();
    const runs = [model.complete("a"), session.send("b"), model.complete("c")];
    const requests = [...addon.requests];
    const closing = model.close({ drainMs: 60_000 });
    expect(model.isClosed).toBe(true);
    expect(() => model.complete("d")).toThrow(refused);
    expect(() => model.chat([{ role: "user", content: "d" }])).toThrow(refused);
    expect(() => model.stats()).toThrow(refused);
    expect(await isSettled(closing)).toBe(false);
    for (const request of requests) {
      request.say("ok");
      request.end();
    }
    for (const run of runs) expect(await run.result()).toMatchObject({ text: "ok" });
    await closing;
    expect(session.messages).toHaveLength(2);
    expect(() => session.send("e")).toThrow(refused);
  });

  it("ends what goes on for longer, and says why", async () => {
    const run = model.complete("a");
    addon.last.say("half");
    await model.close({ drainMs: 20 });
    await expect(run.result()).rejects.toMatchObject(CUT);
  });

  it("is over at once when nothing runs", async () => {
    await model.close({ drainMs: 2_147_483_647 });
    expect(model.isClosed).toBe(true);
  });

  it("can be shortened by a later call, not lengthened", async () => {
    const run = model.complete("a");
    const closing = model.close({ drainMs: 60_000 });
    expect(model.close({ drainMs: 2_000_000 })).toBe(closing);
    expect(await isSettled(closing)).toBe(false);
    expect(model.close()).toBe(closing);
    await closing;
    await expect(run.result()).rejects.toMatchObject(NOT_BEGUN);
  });

  it("ends when the replies are cancelled meanwhile", async () => {
    const run = model.complete("a");
    const closing = model.close({ drainMs: 60_000 });
    run.cancel();
    expect((await run.result()).finishReason).toBe("aborted");
    await closing;
  });

  it.each([
    [{ drainMs: -1 }, "INVALID_ARGUMENT"],
    [{ drainMs: 1.5 }, "INVALID_ARGUMENT"],
    [{ drainMs: 2 ** 31 }, "INVALID_ARGUMENT"],
    [{ drainMs: Infinity }, "INVALID_ARGUMENT"],
    [{ drainMs: "1" }, "INVALID_ARGUMENT"],
    [{ drain: 1 }, "UNKNOWN_OPTION"],
    [null, "INVALID_ARGUMENT"],
    [5, "INVALID_ARGUMENT"],
  ])("rejects with wrong options and leaves the model open: %j", async (options, code) => {
    await expect(model.close(options as never)).rejects.toMatchObject({ name: "R1Error", code });
    expect(model.isClosed).toBe(false);
    await model.close();
  });
});

describe("close()", () => {
  it("ends replies at once with words that fit them: one is written, one waits", async () => {
    const written = model.complete("a");
    const queued = model.complete("b");
    addon.requests[0]?.say("half");
    const closing = model.close();
    await expect(written.result()).rejects.toMatchObject(CUT);
    await expect(queued.result()).rejects.toMatchObject(NOT_BEGUN);
    await expect(queued.admitted).resolves.toBeGreaterThan(0);
    await closing;
  });
});

describe("a full queue", () => {
  it("is reported with its counts", async () => {
    const runs = [1, 2, 3].map(() => model.complete("a"));
    await expect(model.complete("b").result()).rejects.toMatchObject({
      code: "QUEUE_FULL",
      message:
        "The queue is full: it has 3 requests, of at most 3 (`sequences` 1, `maxQueue` 2). " +
        "Try again later, or raise `maxQueue`.",
      details: { sequences: 1, maxQueue: 2, underWay: 3, waiting: 2, preparing: 0 },
    });
    await model.close();
    await Promise.allSettled(runs.map((run) => run.result()));
  });
});

describe("a session's file", () => {
  it.each([
    ["an address", new URL("http://x/")],
    ["a file of another host", new URL("file://host/x")],
    ["an escaped slash", new URL("file:///a%2Fb")],
    ["an escaped NUL", new URL("file:///a%00b")],
    ["a NUL", "a\0b"],
    ["an empty path", ""],
    ["a number", 5],
  ])("is refused by name when it is no path: %s", async (_what, file) => {
    const wrong = { name: "R1Error", code: "INVALID_ARGUMENT" };
    await expect(model.session().save(file as never)).rejects.toMatchObject(wrong);
    await expect(model.restoreSession(file as never)).rejects.toMatchObject(wrong);
    await expect(loadModel(file as never)).rejects.toMatchObject({ name: "R1Error" });
    await model.close();
  });
});
