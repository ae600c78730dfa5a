// Claims about a system that gives few threads, as a container's pids limit does: errors are typed,
// nothing is left, and the process ends by itself. In children under prlimit.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const LIBRARY = new URL("../../dist/index.js", import.meta.url).href;
const FILES = new URL("../../dist/files.js", import.meta.url).href;
const MODEL = new URL("../../models/tiny-r1-f16.gguf", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "r1-threads-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each step reports how it ended; a native crash or a process that hangs reports nothing. */
const code = (threads: number): string => `
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
const r1 = await import(${JSON.stringify(LIBRARY)});
const files = await import(${JSON.stringify(FILES)});
await Promise.all(Array.from({ length: 8 }, () => readFile("/proc/self/status")));
console.log("threads", /Threads:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
const step = async (name, work) => {
  try { const made = await work(); console.log(name, "fine"); return made; }
  catch (error) { console.log(name, r1.isR1Error(error) ? error.code : "raw " + error); }
};
const ask = (model) => model.chat([{ role: "user", content: "hi" }], { maxTokens: 4, template: "file" }).result();
await step("inspect", () => files.inspectGguf(${JSON.stringify(MODEL)}));
const model = await step("load", () => r1.loadModel({ contextSize: 512, threads: ${threads} }));
const second = await step("load", () => r1.loadModel({ contextSize: 512, threads: 1 }));
await step("isolated", async () => (await r1.loadModel({ contextSize: 512, threads: 1, isolation: "process" })).close());
for (const loaded of [model, second]) if (loaded !== undefined) {
  await step("chat", () => ask(loaded));
  await step("close", () => loaded.close());
}
await step("imatrix", () => files.computeImatrix(${JSON.stringify(MODEL)}, "What is 1+1? It is 2. ".repeat(10), { out: ${JSON.stringify(folder)} + "/i" + process.pid, chunkSize: 32, threads: ${threads} }));
console.log("END");`;

/** The limit counts all processes of a user, so this one has no others. */
const user = 40_000 + (process.pid % 20_000);

function run(limit: number, threads: number): readonly string[] {
  // The limit does not bind root, so the child is somebody else, who may read all the same.
  const other =
    process.getuid?.() === 0
      ? [
          "setpriv",
          `--reuid=${user}`,
          `--regid=${user}`,
          "--clear-groups",
          "--inh-caps=+dac_read_search,+dac_override",
          "--ambient-caps=+dac_read_search,+dac_override",
        ]
      : [];
  const { stdout, stderr, status, signal } = spawnSync(
    "prlimit",
    [`--nproc=${limit}`, ...other, process.execPath, "--input-type=module", "-"],
    { encoding: "utf8", input: code(threads), timeout: 120_000 },
  );
  const lines = stdout.trim().split("\n");
  expect({ status, signal, last: lines.at(-1) }, `${limit} threads: ${stdout}\n${stderr}`).toEqual({
    status: 0,
    signal: null,
    last: "END",
  });
  return lines.slice(0, -1);
}

describe.runIf(process.platform === "linux")("a system that gives few threads", () => {
  it("costs typed errors, and nothing else", () => {
    const base = Number(/\d+/.exec(run(4000, 1)[0] ?? "")?.[0]);
    expect(base).toBeGreaterThan(4);
    const seen = new Set<string>();
    for (const [more, threads] of [
      [1, 1],
      [2, 2],
      [3, 4],
      [4, 2],
      [8, 4],
    ] as const)
      for (const line of run(base + more, threads).slice(1)) seen.add(line);
    // Node's own start ends a child that gets no thread.
    seen.delete("isolated ENGINE_CRASHED");
    const kinds = [...seen].map((line) => line.split(" ").slice(1).join(" "));
    expect(new Set(kinds)).toEqual(new Set(["fine", "RESOURCE_EXHAUSTED"]));
    expect(seen).toContain("close fine");
    expect([...seen].filter((line) => line.startsWith("close"))).toEqual(["close fine"]);
  });
});
