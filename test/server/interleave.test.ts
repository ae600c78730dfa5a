// Several streams of events read as one: what happens to those that nobody waits for any more.
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { RunEvent } from "../../lib/server/core/events.js";
import { interleave } from "../../lib/server/core/interleave.js";

const unheard: unknown[] = [];
const hear = (reason: unknown): void => void unheard.push(reason);
beforeAll(() => process.on("unhandledRejection", hear));
afterAll(() => process.off("unhandledRejection", hear));
beforeEach(() => {
  unheard.length = 0;
});

const answer = (choice: number): RunEvent => ({ type: "answer", choice, text: "a" });

/** Gives one event, and then fails once `gone` has. */
async function* source(choice: number, gone: Promise<never>): AsyncGenerator<RunEvent> {
  yield answer(choice);
  await gone;
}

it("takes events of all sources in turn", async () => {
  async function* two(choice: number): AsyncGenerator<RunEvent> {
    yield answer(choice);
    await Promise.resolve();
    yield answer(choice);
  }
  const events: RunEvent[] = [];
  for await (const event of interleave([two(0), two(1)])) events.push(event);
  expect(events).toHaveLength(4);
});

it.each([
  ["the reader leaves", true],
  ["all of them fail", false],
])("leaves no rejection unheard when %s", async (_what, leaves) => {
  let fail = (_error: Error): void => undefined;
  const gone = new Promise<never>((_, reject) => (fail = reject));
  gone.catch(() => undefined);
  const events = interleave([source(0, gone), source(1, gone), source(2, gone)]);
  await events.next();
  if (leaves) await events.return(undefined);
  else {
    await events.next();
    await events.next();
  }
  const last = leaves ? undefined : events.next();
  fail(new Error("The client has gone."));
  if (last !== undefined) await expect(last).rejects.toThrow("gone");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(unheard).toEqual([]);
});
