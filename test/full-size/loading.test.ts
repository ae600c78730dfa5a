// The 671B model's exact shape, 140e9 bytes in three sparse parts, through mmap: loaded with
// progress, and given up half-way. The part of the full-size tests that takes few minutes.
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { physicalCores } from "../../lib/machine/cpu.js";
import { firstOf, fullSizeFolder, runOurs, writeFullSize, type Told } from "./runs.js";

const folder = fullSizeFolder();
let ours: Awaited<ReturnType<typeof runOurs>>;
const only = (event: Told["event"]): Told => firstOf(ours.told, event);

beforeAll(async () => {
  ours = await runOurs(await writeFullSize(folder), "load", physicalCores());
  const [ready, second, end] = [only("ready"), only("second load"), only("end")];
  process.stdout.write(
    `\nfull size: ready after ${(ready.ms / 1000).toFixed(1)} s without a warm-up; a second load was rejected ${Number(second["afterAbortMs"]).toFixed(0)} ms after it was given up half-way, the process ended ${((end.ms - second.ms) / 1000).toFixed(1)} s later\n\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the full-size model", () => {
  it("loads with the documented options", () => {
    expect(ours.code).toBe(0);
    expect(only("ready")).toMatchObject({ contextSize: 8192, cacheTypes: ["q4_0", "q4_0"] });
  });

  it("tells how far it is, from 0 to 1 and never back", () => {
    const progress = ours.told
      .slice(0, ours.told.indexOf(only("ready")))
      .filter(({ event }) => event === "progress");
    const values = progress.map((one) => Number(one["progress"]));
    expect(values[0]).toBe(0);
    expect(values.at(-1)).toBe(1);
    expect(values.length).toBeGreaterThan(20);
    expect([...values].sort((a, b) => a - b)).toEqual(values);
  });

  it("is given up half-way at once, with the reason, and the process ends by itself", () => {
    const { outcome, afterAbortMs } = only("second load") as unknown as {
      outcome: string;
      afterAbortMs: number;
    };
    expect(outcome).toBe("rejected with the reason");
    // Ten times what is seen.
    expect(afterAbortMs).toBeLessThan(2500);
    expect(only("end").ms - only("second load").ms).toBeLessThan(120_000);
  });
});
