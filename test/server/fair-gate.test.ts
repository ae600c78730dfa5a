// Who starts next: keys in turn, auxiliary requests last, wide ones not overtaken, bounds kept.
import { expect, test } from "vitest";
import { FairGate } from "../../lib/server/core/fair-gate.js";
import type { GateLimits } from "../../lib/server/core/fair-gate.js";

const limits: GateLimits = {
  slots: 1,
  maxQueue: 100,
  maxQueuePerKey: 100,
  maxRunningPerKey: 100,
  maxWaitMs: 0,
};
const { signal } = new AbortController();

interface Wish {
  readonly key: string;
  readonly isAuxiliary?: boolean;
  readonly weight?: number;
}

/** Keys in the order in which their requests start, when each ends as soon as it has started. */
async function orderOf(
  wishes: readonly Wish[],
  bounds: Partial<GateLimits> = {},
): Promise<string[]> {
  const gate = new FairGate({ ...limits, ...bounds });
  const first = await gate.enter({ key: "first", weight: 1, isAuxiliary: false, signal });
  const order: string[] = [];
  const all = wishes.map(async ({ key, isAuxiliary = false, weight = 1 }) => {
    const release = await gate.enter({ key, isAuxiliary, weight, signal });
    order.push(key);
    release();
  });
  first();
  await Promise.all(all);
  expect([gate.running, gate.waiting]).toEqual([0, 0]);
  return order;
}

test("keys take turns, whoever asked first and most", async () => {
  const wishes = ["a", "a", "a", "b", "b", "c"].map((key) => ({ key }));
  expect(await orderOf(wishes)).toEqual(["a", "b", "c", "a", "b", "a"]);
});

test("auxiliary requests start when no other waits", async () => {
  const wishes = [{ key: "title", isAuxiliary: true }, { key: "a" }, { key: "a" }];
  expect(await orderOf(wishes)).toEqual(["a", "a", "title"]);
});

test("a request wider than the room that is left keeps its turn", async () => {
  const wishes = [{ key: "wide", weight: 4 }, { key: "a" }, { key: "b" }];
  expect(await orderOf(wishes, { slots: 2 })).toEqual(["wide", "a", "b"]);
});

test("an aborted request leaves the queue, and the next one moves up", async () => {
  const gate = new FairGate(limits);
  const release = await gate.enter({ key: "a", weight: 1, isAuxiliary: false, signal });
  const gone = new AbortController();
  const leaving = gate.enter({ key: "a", weight: 1, isAuxiliary: false, signal: gone.signal });
  const places: number[] = [];
  const onMove = (ahead: number): void => void places.push(ahead);
  const next = gate.enter({ key: "a", weight: 1, isAuxiliary: false, signal, onMove });
  gone.abort();
  await expect(leaving).rejects.toMatchObject({ status: 499 });
  release();
  (await next)();
  expect(places).toEqual([1, 0]);
});

test("a request is not told again where it is when others come or go behind it", async () => {
  const gate = new FairGate(limits);
  const one = { key: "a", weight: 1, isAuxiliary: false, signal };
  const running = await Promise.all(Array.from({ length: limits.slots }, () => gate.enter(one)));
  const places: number[] = [];
  const first = gate.enter({ ...one, onMove: (ahead) => void places.push(ahead) });
  const gone = new AbortController();
  const behind = Array.from({ length: 3 }, () => gate.enter({ ...one, signal: gone.signal }));
  gone.abort();
  for (const leaving of behind) await expect(leaving).rejects.toMatchObject({ status: 499 });
  expect(places).toEqual([0]);
  for (const release of running) release();
  (await first)();
});

test("bounds on what waits are a 429 for one key and a 503 for all", async () => {
  const gate = new FairGate({ ...limits, maxQueue: 2, maxQueuePerKey: 1 });
  const enter = (key: string): Promise<() => void> =>
    gate.enter({ key, weight: 1, isAuxiliary: false, signal });
  const release = await enter("a");
  const waiting = [enter("a"), enter("b")];
  await expect(enter("a")).rejects.toMatchObject({ status: 429 });
  await expect(enter("c")).rejects.toMatchObject({ status: 503, code: "overloaded" });
  release();
  for (const one of waiting) (await one)();
});

test("a wait that is too long is a 503", async () => {
  const gate = new FairGate({ ...limits, maxWaitMs: 20 });
  const release = await gate.enter({ key: "a", weight: 1, isAuxiliary: false, signal });
  const late = gate.enter({ key: "a", weight: 1, isAuxiliary: false, signal });
  await expect(late).rejects.toMatchObject({ status: 503 });
  release();
});
