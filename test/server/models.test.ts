// The models of a server: what failed loads and engines that died do to the requests for one.
import { expect, test } from "vitest";
import type { ChatModel } from "../../lib/index.js";
import { ModelRegistry } from "../../lib/server/core/models.js";
import type { ModelSource, RegistryOptions } from "../../lib/server/core/models.js";
import { createApp } from "../../lib/server.js";

const gate = { maxQueue: 1, maxQueuePerKey: 1, maxRunningPerKey: 1, maxWaitMs: 0 };

/** As much of a model as a registry looks at. */
const fakeModel = (): ChatModel =>
  ({
    info: { path: "a.gguf", sequences: 1, memory: [] },
    chat: () => undefined,
    close: () => Promise.resolve(),
  }) as unknown as ChatModel;

function registryOf(source: ModelSource, options: Partial<RegistryOptions> = {}): ModelRegistry {
  const now = (): number => 0;
  return new ModelRegistry(
    { r1: source },
    { aliases: {}, anyModel: false, maxModelBytes: 0, gate, now, ...options },
  );
}

test("every request that waits for a load which fails gets 503, and the failure counts once", async () => {
  const failures: unknown[] = [];
  const cause = new Error("no such file");
  const registry = registryOf(() => Promise.reject(cause));
  registry.onLoadFailed = (_name, error) => failures.push(error);
  const all = [1, 2, 3].map(() => registry.lease(registry.first));
  for (const one of await Promise.allSettled(all))
    expect(one).toMatchObject({ status: "rejected", reason: { status: 503 } });
  expect(failures).toEqual([cause]);
  expect(registry.first.lastError).toBe(cause);
});

test("runs of one engine that died count as one failure, and its successor is left alone", async () => {
  let loads = 0;
  const registry = registryOf(() => Promise.resolve((loads++, fakeModel())));
  const entry = registry.first;
  const first = await entry.load();
  expect(entry.crashed(first)).toBe(1000);
  expect(entry.crashed(first)).toBeUndefined();
  const second = await entry.load();
  expect(second).not.toBe(first);
  expect(entry.crashed(first)).toBeUndefined();
  expect(entry.model).toBe(second);
  expect(await entry.load()).toBe(second);
  expect(loads).toBe(2);
});

test("a model that fails again and again is loaded later each time, and soon after it went well", async () => {
  let now = 0;
  const registry = registryOf(() => Promise.resolve(fakeModel()), { now: () => now });
  const entry = registry.first;
  const waits: (number | undefined)[] = [];
  const die = async (): Promise<void> => {
    const wait = entry.crashed(await entry.ready());
    waits.push(wait);
    if (wait === undefined) return;
    now += wait - 1;
    await expect(entry.ready()).rejects.toMatchObject({ status: 503, code: "model_unavailable" });
    now += 1;
  };
  for (let i = 0; i < 7; i++) await die();
  expect(waits).toEqual([1000, 2000, 5000, 10_000, 30_000, 60_000, 60_000]);
  await entry.ready();
  entry.wentWell();
  await die();
  expect(waits.at(-1)).toBe(1000);
});

const memory = [{ weightBytes: 1, cacheBytes: 0, computeBytes: 0 }];

/** Three models of one byte each in the room of one, each used once and then idle. */
async function usedInTurn(close: () => Promise<void>): Promise<ModelRegistry> {
  const load = (): Promise<ChatModel> => {
    const model = fakeModel();
    return Promise.resolve({ ...model, info: { ...model.info, memory }, close } as never);
  };
  const registry = new ModelRegistry(
    { a: load, b: load, c: load },
    { aliases: {}, anyModel: false, maxModelBytes: 1, gate, now: () => 0 },
  );
  for (const { name } of registry.entries) {
    const lease = await registry.lease(registry.find(name));
    lease.release();
  }
  // What follows a load has then happened; a rejection that nobody handles would fail the test.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return registry;
}

test("an idle model that cannot be closed keeps no other from being loaded", async () => {
  const registry = await usedInTurn(() => Promise.reject(new Error("cannot close")));
  expect(registry.find("c").state).toBe("ready");
});

test("a model that was loaded closes the idle ones that no longer fit beside it", async () => {
  const registry = await usedInTurn(() => Promise.resolve());
  expect(registry.entries.map(({ state }) => state)).toEqual(["unloaded", "unloaded", "ready"]);
});

test.each([[undefined], [null], [{}], [{ r1: {} }], ["r1"]])(
  "createApp refuses %j as models",
  (models) => {
    expect(() => createApp(models as unknown as ModelSource)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  },
);
