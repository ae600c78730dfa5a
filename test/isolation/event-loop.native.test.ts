// The parent's event loop while children of isolated models die: it goes on turning. Starts
// children of the test process; needs dist/ and the addon.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { loadModel } from "../../dist/index.js";
import { ENDLESS } from "../fixtures/tiny.js";
import { childrenOf } from "./processes.js";

const KILLS = 25;
/** Between two looks at the clock. */
const TICK_MS = 1;

it(`turns while ${KILLS} children are killed with generations running and waiting`, async () => {
  const delays: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const model = await loadModel({ threads: 1, contextSize: 32_768, isolation: "process" });
    const runs = Array.from({ length: 4 }, () =>
      model.complete("<｜User｜>What is 1+1?<｜Assistant｜>", ENDLESS),
    );
    const failures = runs.map((run) =>
      expect(run.result()).rejects.toMatchObject({ code: "ENGINE_CRASHED" }),
    );
    await vi.waitFor(() => expect(model.stats().steps).toBeGreaterThan(5), {
      timeout: 60_000,
      interval: 1,
    });
    const [child = 0] = childrenOf(process.pid, "engine-child");
    // From the death to the news of it, and a moment after.
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      delays.push(Math.max(0, now - last - TICK_MS));
      last = now;
    }, TICK_MS);
    process.kill(child, "SIGKILL");
    await Promise.all(failures);
    const ticks = delays.length;
    while (delays.length < ticks + 10) await sleep(1);
    clearInterval(timer);
    await model.close();
  }
  delays.sort((a, b) => a - b);
  const [p99 = 0, max = 0] = [delays[Math.floor(delays.length * 0.99)], delays.at(-1)];
  process.stdout.write(
    `event loop while ${KILLS} children were killed: p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms late\n`,
  );
  expect(p99).toBeLessThan(200);
  expect(max).toBeLessThan(5000);
});
