// The 671B model's exact shape, 140e9 bytes in three sparse parts, through mmap: loaded and asked
// beside llama.cpp's own program on the same files.
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { physicalCores } from "../../lib/machine/cpu.js";
import {
  firstOf,
  fullSizeFolder,
  runOurs,
  runUpstream,
  writeFullSize,
  type Run,
  type Told,
} from "./runs.js";

const GIB = 2 ** 30;
const folder = fullSizeFolder();
let ours: Awaited<ReturnType<typeof runOurs>>;
let upstream: Run;
const only = (event: Told["event"]): Told => firstOf(ours.told, event);

beforeAll(async () => {
  const path = await writeFullSize(folder);
  const threads = physicalCores();
  ours = await runOurs(path, "answer", threads);
  // Threads of the same priority: where they are as many as the cores, ours stay at the normal one,
  // and real-time threads wait less for pages under memory pressure.
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
    `threads' priority: ${String(only("ready")["priority"])}`,
  ];
  process.stdout.write(`\n${lines.join("\n")}\n\n`);
}

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
});
