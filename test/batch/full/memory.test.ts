// Memory does not depend on the number of rows, and a long output is soon read again.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { withFolder } from "../../fixtures/tiny.js";

const child = fileURLToPath(new URL("memory-child.mjs", import.meta.url));
const ROWS = 1_000_000;

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly done: number;
  readonly peakMB: number;
}

const measure = (kind: string, folder: string): Measured =>
  JSON.parse(
    execFileSync(process.execPath, [child, kind, folder, String(ROWS)], { encoding: "utf8" }),
  ) as Measured;

it("takes less than 300 MB over the model for a million rows, and resumes over a million records within a minute", async () => {
  await withFolder(async (folder) => {
    measure("files", folder);
    const model = measure("model", folder);
    const run = measure("run", folder);
    expect(run.done).toBeGreaterThanOrEqual(2000);
    expect(run.peakMB - model.peakMB).toBeLessThan(300);
    measure("records", folder);
    const resume = measure("resume", folder);
    console.log(JSON.stringify({ model, run, resume }));
    expect(resume.done).toBe(ROWS);
    expect(resume.peakMB).toBeLessThan(300);
    // The promise is a minute. What it computes is a fraction of that, and a loaded machine, on
    // which the clock goes on while others run, adds little to it.
    expect(resume.cpuSeconds).toBeLessThan(60);
  });
});
