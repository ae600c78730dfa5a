// What a model takes of the system goes back: descriptors, the environment; a stopped child is
// found out, and devices() waits for no load. Each in a child process, against the built library.
import { expect, it } from "vitest";
import { runChild } from "../fixtures/child.js";

const PRELUDE = `
import { readdirSync, readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
const { devices } = await import(LIBRARY);
const descriptors = () => readdirSync("/proc/self/fd").length;
const children = () => readdirSync("/proc").filter((id) => {
  try {
    return Number(readFileSync("/proc/" + id + "/stat", "utf8").replace(/^.*\\) . /s, "").split(" ")[0]) === process.pid && readFileSync("/proc/" + id + "/cmdline", "utf8").includes("engine-child");
  } catch { return false; }
}).map(Number);
`;

async function told(snippet: string): Promise<unknown> {
  const { code, stdout, stderr } = await runChild(`${PRELUDE}${snippet}`);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

it("the host's environment is the same after a load, an answer and the list of devices", async () => {
  expect(
    await told(`
const before = JSON.stringify(process.env);
devices();
const m = await load();
await m.complete("x", { maxTokens: 3 }).result();
await m.close();
console.log(JSON.stringify([before === JSON.stringify(process.env)]));`),
  ).toEqual([true]);
});

it("no descriptor is left by loads, sessions, grammars, failures and isolated models", async () => {
  const [first, last] = (await told(`
const folder = mkdtempSync(join(tmpdir(), "r1-native-test-"));
const round = async () => {
  const m = await load({ sequences: 2 });
  const s = m.session({ temperature: 0 });
  await s.send("hi", { maxTokens: 3 }).result().catch(() => {});
  await s.save(join(folder, "a"));
  await m.restoreSession(join(folder, "a"));
  await m.restoreSession(await s.save());
  await m.restoreSession(join(folder, "none")).catch(() => {});
  await m.restoreSession(new Uint8Array(100)).catch(() => {});
  await m.complete("x", { maxTokens: 3, response: { grammar: "root ::= " } }).result().catch(() => {});
  await m.tokenizer.encodeAsync("word ".repeat(20000));
  await m.close();
  await load({ contextSize: -1 }).catch(() => {});
  const i = await load({ isolation: "process" });
  await i.complete("x", { maxTokens: 3 }).result();
  await i.close();
};
await round();
await round();
const first = descriptors();
for (let i = 0; i < 6; i++) await round();
for (let i = 0; i < 200 && descriptors() > first; i++) await sleep(100);
console.log(JSON.stringify([first, descriptors()]));
rmSync(folder, { recursive: true });`)) as [number, number];
  expect(last).toBeLessThanOrEqual(first);
});

it("a model's child that was stopped is found out after a cancel, and the process ends", async () => {
  expect(
    await told(`
const m = await load({ isolation: "process" });
const run = m.complete("x", endless);
for await (const part of run) if (part.text) break;
const other = m.complete("y", endless);
await other.admitted;
process.kill(children()[0], "SIGSTOP");
other.cancel();
const code = await other.result().then(() => "none", (error) => error.code);
console.log(JSON.stringify([code, children().length]));`),
  ).toEqual(["ENGINE_CRASHED", 0]);
});

it("devices() answers while a model loads", async () => {
  const [longest, during] = (await told(`
devices();
let isLoading = true;
let longest = 0;
let during = 0;
const loads = Promise.all(Array.from({ length: 4 }, () => load({ contextSize: 32768 })));
loads.then(() => (isLoading = false));
while (isLoading) {
  const start = performance.now();
  devices();
  longest = Math.max(longest, performance.now() - start);
  during++;
  await sleep(1);
}
for (const model of await loads) await model.close();
console.log(JSON.stringify([longest, during]));`)) as [number, number];
  expect(during).toBeGreaterThan(10);
  expect(longest).toBeLessThan(1000);
});
