// What the dashboard of a queue shows.
import { expect, it } from "vitest";
import { dashboardLines } from "../../lib/cli/queue-dashboard.js";
import type { QueueState, WatchedWorker } from "../../lib/queue.js";

const worker: WatchedWorker = {
  name: "a1",
  host: "fast",
  pid: 7,
  shard: "/s.jsonl",
  sequences: 8,
  running: 8,
  done: 120,
  failed: 0,
  tokens: 9000,
  tokensPerSecond: 81.25,
  state: "working",
  silentSeconds: 1,
};

const state: QueueState = {
  waiting: 70,
  active: 9,
  completed: 120,
  failed: 1,
  total: 200,
  isDone: false,
  workers: [worker],
  tokensPerSecond: 81.25,
  secondsLeft: 61,
};

it("shows rows left, rates, and each worker with what it does", () => {
  const silent = {
    ...worker,
    name: "b2",
    host: "gone",
    state: "silent",
    silentSeconds: 42,
  } as const;
  const lines = dashboardLines({ ...state, workers: [worker, silent] });
  expect(lines[0]).toBe("120 of 200 rows done, 1 given up, 79 left (9 running)");
  expect(lines[1]).toBe("81 tokens/s, 61 s left");
  expect(lines[4]).toMatch(/^a1 +fast 7 +working +120 +8 +81\.3$/);
  expect(lines[5]).toMatch(/^b2 +gone 7 +silent 42 s +120 +- +-$/);
});

it("says when rows are still being put in, and when nobody has come", () => {
  const lines = dashboardLines({ ...state, total: undefined, workers: [] });
  expect(lines[0]).toContain("120 of 200 rows done");
  expect(lines[0]).toContain("still being filled");
  expect(lines.at(-1)).toBe("No worker has come yet.");
});
