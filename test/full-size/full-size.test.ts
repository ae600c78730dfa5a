// The 671B model's exact shape, 140e9 bytes in three sparse parts, through mmap: loaded, asked, closed, and once more given up half-way, beside llama.cpp's own program on the same files.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { physicalCores } from "../../lib/model/cpu.js";
import { runOurs, runUpstream, type Run, type Told } from "./runs.js";

const GIB = 2 ** 30;
const folder = mkdtempSync(join(process.env["R1_FULL_SIZE_DIR"] ?? tmpdir(), "r1-full-size-"));
let ours: Awaited<ReturnType<typeof runOurs>>;
let upstream: Run;

beforeAll(async () => {
  const paths = await SHAPES["r1-full-sparse"](join(folder, "DeepSeek-R1-UD-IQ1_S.gguf"));
  const onDisk = paths.reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
  if (onDisk > 100 * 2 ** 20) throw new Error(`${folder} is on a file system without sparse files: set R1_FULL_SIZE_DIR to a folder on one that has them`);
  const [path = ""] = paths;
  const threads = physicalCores();
  ours = await runOurs(path, threads);
  // Threads of the same priority: where they are as many as the cores, ours stay at the normal one, and real-time threads wait less for pages under memory pressure.
  upstream = await runUpstream(path, threads, String(only("ready")["priority"]));
  report();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function report(): void {
  const row = (name: string, of: (run: Run) => number, digits: number): string =>
    `${name.padEnd(42)}${of(ours).toFixed(digits).padStart(10)}${of(upstream).toFixed(digits).padStart(18)}`;
  const lines = [
    `${"".padEnd(42)} r1-native  llama-completion`,
    row("ready after, warm-up included (s)", ({ readyMs }) => readyMs / 1000, 1),
    row("processor time by then (s)", ({ readyCpuMs }) => readyCpuMs / 1000, 1),
    row("prompt (tokens/s)", ({ promptTokensPerSecond }) => promptTokensPerSecond, 3),
    row("decoding (tokens/s)", ({ tokensPerSecond }) => tokensPerSecond, 3),
    row("memory of its own, at most (GiB)", ({ peak }) => peak.anonymous / GIB, 2),
    row("resident with pages of the file (GiB)", ({ peak }) => peak.resident / GIB, 2),
    `threads' priority: ${String(only("ready")["priority"])}; second load: given up ${Number(only("second load")["afterAbortMs"]).toFixed(0)} ms after the abort; the process ended ${((only("end").ms - only("second load").ms) / 1000).toFixed(1)} s later`,
  ];
  process.stdout.write(`\n${lines.join("\n")}\n\n`);
}

function only(event: Told["event"]): Told {
  const found = ours.told.find((one) => one.event === event);
  if (found === undefined) throw new Error(`the run never told of "${event}"; it told of ${ours.told.at(-1)?.event ?? "nothing"} last`);
  return found;
}

const progress = (): readonly Told[] => ours.told.slice(0, ours.told.indexOf(only("ready"))).filter(({ event }) => event === "progress");

describe("the full-size model", () => {
  it("loads with the documented options and streams three tokens, as llama.cpp's program does", () => {
    expect([ours.code, upstream.code]).toEqual([0, 0]);
    expect(only("ready")).toMatchObject({ contextSize: 8192, cacheTypes: ["q4_0", "q4_0"] });
    expect((only("answer")["tokens"] as number[]).length).toBe(3);
    expect(ours.told.filter(({ event }) => event === "text").length).toBeGreaterThan(0);
    expect(ours.text).toBe(upstream.text);
  });

  it("is ready within 1.1 times of what llama.cpp's program takes", () => {
    expect(ours.readyMs / upstream.readyMs).toBeLessThan(1.1);
  });

  it("needs no more memory", () => {
    // The twentieth is Node's own.
    expect(ours.peak.anonymous / upstream.peak.anonymous).toBeLessThan(1.05);
  });

  it("tells how far it is, from 0 to 1 and never back", () => {
    const values = progress().map((one) => Number(one["progress"]));
    expect(values[0]).toBe(0);
    expect(values.at(-1)).toBe(1);
    expect(values.length).toBeGreaterThan(20);
    expect([...values].sort((a, b) => a - b)).toEqual(values);
  });

  it("is given up half-way at once, with the reason, and the process ends by itself", () => {
    const { outcome, afterAbortMs } = only("second load") as unknown as { outcome: string; afterAbortMs: number };
    expect(outcome).toBe("rejected with the reason");
    expect(afterAbortMs).toBeLessThan(2500);
    expect(only("end").ms - only("second load").ms).toBeLessThan(120_000);
  });
});
