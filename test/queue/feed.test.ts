// Rows of a queue's jobs on their way to a runner: each job learns what became of its row.
import { expect, it } from "vitest";
import { parseRow } from "../../lib/batch/parse-row.js";
import type { BatchRow } from "../../lib/batch/row.js";
import { RowFeed } from "../../lib/queue/feed.js";
import { jobIdOf, type Place } from "../../lib/queue/link.js";

const rowOf = (id: string, signal?: AbortSignal): BatchRow => ({
  ...parseRow({ id, prompt: "1+1?" }, 0, { raw: false }),
  signal,
});

const place = (sample: number): Place => ({
  sample,
  file: "output",
  offset: 0,
  bytes: 1,
  sha256: "",
});

it("hands rows on in order, and resolves each with the places of its samples", async () => {
  const feed = new RowFeed();
  const [a, b] = [rowOf("a"), rowOf("b")];
  const [first, second] = [feed.submit(a), feed.submit(b)];
  const source = feed[Symbol.asyncIterator]();
  expect((await source.next()).value).toBe(a);
  expect((await source.next()).value).toBe(b);
  feed.place(b, place(0));
  feed.place(b, place(1));
  feed.finish(b);
  expect((await second).map(({ sample }) => sample)).toEqual([0, 1]);
  feed.rejectAll("the end");
  await expect(first).rejects.toBe("the end");
});

it("does not begin a row whose lock was lost while it waited", async () => {
  const feed = new RowFeed();
  const lost = new AbortController();
  const rejected = feed.submit(rowOf("a", lost.signal));
  const kept = rowOf("b");
  void feed.submit(kept);
  lost.abort("lost");
  await expect(rejected).rejects.toBe("lost");
  expect((await feed[Symbol.asyncIterator]().next()).value).toBe(kept);
  await expect(feed.submit(rowOf("c", lost.signal))).rejects.toBe("lost");
});

it("ends its source once it is ended and empty", async () => {
  const feed = new RowFeed();
  const source = feed[Symbol.asyncIterator]();
  const waiting = source.next();
  feed.end();
  expect((await waiting).done).toBe(true);
});

it("gives rows ids of jobs that BullMQ takes, whatever their own ids are", () => {
  const ids = ["1", "a:b", "ü".repeat(500), ""].map(jobIdOf);
  for (const id of ids) expect(id).toMatch(/^r1-[0-9a-f]{32}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

it("rejects a row that comes after all others were rejected", async () => {
  const feed = new RowFeed();
  feed.rejectAll("the worker ends");
  await expect(feed.submit(rowOf("late"))).rejects.toBe("the worker ends");
});
