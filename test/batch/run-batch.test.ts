// runBatch: rows in, outcomes out, and what becomes of rows that go wrong; on a model without an
// engine.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runBatch } from "../../lib/batch.js";
import type { BatchOptions, BatchOutcome } from "../../lib/batch.js";
import { FakeModel, type FakeReply } from "./fake-model.js";

const rows = (count: number): { id: string; prompt: string }[] =>
  Array.from({ length: count }, (_, i) => ({ id: `r${i}`, prompt: `p${i}` }));

async function outcomes(
  model: FakeModel,
  given: Iterable<unknown> | AsyncIterable<unknown>,
  options: BatchOptions = {},
): Promise<BatchOutcome[]> {
  const all: BatchOutcome[] = [];
  for await (const outcome of runBatch(model.model, given, options)) all.push(outcome);
  return all;
}

describe("a batch", () => {
  it("takes rows as there is room: never more than twice the sequences are in flight", async () => {
    const model = new FakeModel(() => "x");
    let taken = 0;
    let done = 0;
    let most = 0;
    function* source(): Generator {
      for (const row of rows(200)) {
        taken++;
        most = Math.max(most, taken - done);
        yield row;
      }
    }
    for await (const outcome of runBatch(model.model, source())) {
      expect(outcome.record?.answer).toBe("x");
      done++;
    }
    expect(done).toBe(200);
    expect(model.mostRunning).toBe(4);
    // One more may be looked at while the others run.
    expect(most).toBeLessThanOrEqual(6);
  });

  it("gives a sample the same seed whatever the order, the shard or the other rows", async () => {
    const seeds = async (given: readonly unknown[]): Promise<Map<string, number | undefined>> => {
      const all = await outcomes(new FakeModel(() => "x"), given, { samples: 3, seed: 7 });
      return new Map(all.map(({ id, sample, record }) => [`${id}#${sample}`, record?.seed]));
    };
    const straight = await seeds(rows(20));
    const backwards = await seeds(rows(20).reverse());
    const some = await seeds(rows(20).filter((_, i) => i % 3 === 0));
    expect(new Set(straight.values()).size).toBe(60);
    for (const [key, seed] of straight) expect(backwards.get(key)).toBe(seed);
    for (const [key, seed] of some) expect(straight.get(key)).toBe(seed);
  });

  it("takes a row's own seed as it is, and counts up from it for further samples", async () => {
    const all = await outcomes(new FakeModel(() => "x"), [{ id: "a", prompt: "p", seed: 40 }], {
      samples: 2,
    });
    expect(all.map(({ record }) => record?.seed).sort()).toEqual([40, 41]);
  });

  it("throws for a wrong row, after those before it", async () => {
    const model = new FakeModel(() => "x");
    await expect(outcomes(model, [...rows(3), { prompt: 5 }])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(() => runBatch(model.model, [], { sample: 2 } as BatchOptions)).toThrow(/`samples`/);
    expect(() => runBatch(model.model, [], { untilVerified: 2 })).toThrow(/`verify`/);
  });

  it("ends with the signal's reason; with drainMs running rows may end first", async () => {
    for (const drainMs of [0, 60_000]) {
      const stop = new AbortController();
      const model = new FakeModel(() => sleep(30, "x"));
      const got: BatchOutcome[] = [];
      const reason = new Error("enough");
      const all = (async () => {
        const options = { signal: stop.signal, drainMs };
        for await (const outcome of runBatch(model.model, rows(50), options)) {
          got.push(outcome);
          stop.abort(reason);
        }
      })();
      await expect(all).rejects.toBe(reason);
      expect(model.running).toBe(0);
      expect(got.length).toBe(drainMs === 0 ? got.length : model.calls.length);
      expect(model.calls.length).toBeLessThan(12);
    }
  });

  it("stops the rows that run when its reader leaves", async () => {
    const model = new FakeModel(() => sleep(20, "x"));
    for await (const _ of runBatch(model.model, rows(50))) break;
    expect(model.running).toBe(0);
    expect(model.calls.length).toBeLessThan(12);
  });
});

describe("a row that goes wrong", () => {
  const replies = (bad: FakeReply): ((call: { prompt: string }) => FakeReply) => {
    return ({ prompt }) => (prompt === "p3" ? bad : "x");
  };

  it("is an outcome with its error, and the others go on", async () => {
    const model = new FakeModel(replies({ code: "PROMPT_TOO_LONG" }));
    const all = await outcomes(model, rows(10));
    expect(all).toHaveLength(10);
    const failed = all.filter(({ error }) => error !== undefined);
    expect(failed.map(({ id, error }) => [id, error?.code])).toEqual([["r3", "PROMPT_TOO_LONG"]]);
    expect(model.calls).toHaveLength(10);
  });

  it("is tried again where its code says so, a bounded number of times", async () => {
    const model = new FakeModel(replies({ code: "CONTEXT_FULL" }));
    const all = await outcomes(model, rows(5), { maxAttempts: 2 });
    const failed = all.find(({ error }) => error !== undefined);
    expect(failed).toMatchObject({ id: "r3", attempt: 2, error: { code: "CONTEXT_FULL" } });
    expect(model.calls).toHaveLength(6);
  });

  it("ends the batch where every row would end so", async () => {
    const model = new FakeModel(replies({ code: "DISPOSED" }));
    await expect(outcomes(model, rows(50))).rejects.toMatchObject({ code: "DISPOSED" });
    expect(model.calls.length).toBeLessThan(12);
  });

  it("that took too long is an error; with a limit none waits for the engine", async () => {
    const model = new FakeModel(replies({ finishReason: "timeout" }));
    const all = await outcomes(model, rows(8), { timeoutMs: 500 });
    expect(all.find(({ error }) => error !== undefined)).toMatchObject({
      id: "r3",
      error: { code: "TIMEOUT" },
    });
    expect(model.mostRunning).toBe(2);
    expect(model.calls.every(({ timeoutMs }) => timeoutMs === 500)).toBe(true);
  });

  it("is a result when length or loop ended it; on request another seed is tried", async () => {
    const plain = new FakeModel(replies({ answer: "half", finishReason: "length" }));
    const all = await outcomes(plain, rows(5));
    expect(all.find(({ id }) => id === "r3")?.record).toMatchObject({
      finish_reason: "length",
      attempt: 1,
    });
    const again = new FakeModel(replies({ answer: "half", finishReason: "length" }));
    const tried = await outcomes(again, rows(5), { retry: ["length"], maxAttempts: 3 });
    expect(tried.find(({ id }) => id === "r3")?.record).toMatchObject({
      finish_reason: "length",
      attempt: 3,
    });
    const seeds = again.calls.filter(({ prompt }) => prompt === "p3").map(({ seed }) => seed);
    expect(new Set(seeds).size).toBe(3);
  });
});

describe("a row that ends its engine", () => {
  /** A model whose engine dies with one row, and with it all that run beside. */
  function mortal(deaths: { count: number }, poison: string): FakeModel {
    let isDead = false;
    let die: () => void = () => undefined;
    const death = new Promise<void>((resolve) => (die = resolve));
    return new FakeModel(async ({ prompt }) => {
      if (prompt === poison && !isDead) {
        isDead = true;
        deaths.count++;
        die();
      }
      if (isDead) return { code: "ENGINE_CRASHED" };
      const end = await Promise.race([sleep(10, "x"), death.then(() => "dead")]);
      return end === "dead" ? { code: "ENGINE_CRASHED" } : "x";
    });
  }

  it("twice is an error, and no row that ran beside it is lost or blamed", async () => {
    const deaths = { count: 0 };
    const reload = (): Promise<never> =>
      Promise.resolve(mortal(deaths, "p5").model) as Promise<never>;
    const all = await outcomes(mortal(deaths, "p5"), rows(20), { reload });
    expect(all).toHaveLength(20);
    expect(new Set(all.map(({ id }) => id)).size).toBe(20);
    const failed = all.filter(({ error }) => error !== undefined);
    expect(failed.map(({ id, error }) => [id, error?.code])).toEqual([["r5", "ENGINE_CRASHED"]]);
    expect(deaths.count).toBe(2);
  });

  it("ends the batch where the model cannot be loaded again", async () => {
    const deaths = { count: 0 };
    await expect(outcomes(mortal(deaths, "p5"), rows(20))).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
    });
  });

  it("ends the batch when one row after the other does so: the rows are not at fault", async () => {
    const dead = (): FakeModel => new FakeModel(() => ({ code: "ENGINE_CRASHED" }));
    let loads = 0;
    const reload = (): Promise<never> => {
      loads++;
      return Promise.resolve(dead().model) as Promise<never>;
    };
    await expect(outcomes(dead(), rows(200), { reload })).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
    });
    expect(loads).toBeLessThan(20);
  });
});

describe("a verifier", () => {
  it("is asked once for each sample, and sampling goes on until enough pass", async () => {
    const asked: string[] = [];
    const model = new FakeModel(({ seed }) => String(seed % 3));
    const all = await outcomes(model, rows(12), {
      untilVerified: 2,
      maxSamples: 9,
      verify: (row, { id, sample, answer }) => {
        expect(row["id"]).toBe(id);
        asked.push(`${id}#${sample}`);
        return answer === "0";
      },
    });
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.length).toBe(all.length);
    for (let i = 0; i < 12; i++) {
      const own = all.filter(({ id }) => id === `r${i}`);
      const passed = own.filter(({ record }) => record?.verified === true).length;
      expect(passed === 2 || (passed < 2 && own.length === 9), `r${i}`).toBe(true);
    }
  });

  it("that throws, or takes too long, passes nothing, and the record says why", async () => {
    const all = await outcomes(new FakeModel(() => "x"), rows(2), {
      verifyTimeoutMs: 20,
      verify: async (row) => {
        if (row["id"] === "r0") throw new Error("no idea");
        await sleep(5000, undefined, { ref: false });
        return true;
      },
    });
    const said = new Map(all.map(({ id, record }) => [id, record]));
    expect(said.get("r0")).toMatchObject({ verified: false, verify_error: "no idea" });
    expect(said.get("r1")).toMatchObject({
      verified: false,
      verify_error: "took longer than 20 ms",
    });
  });
});
