// Sends 10,000 hostile requests to `r1-native serve` in a child process. The child must live, answer
// none of them with 500, have nothing left to do at the end, and then answer an honest request.
// --seed N sends others, --count N fewer, --only N one alone. Needs `npm run build:ts`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hostileRequest } from "./requests.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "10000" },
    only: { type: "string" },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);
const LANES = 12;
/** Longest wait for an answer; requests of the server end after 20 s. */
const PATIENCE_MS = 60_000;

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const flags = ["--port", "0", "--slots", "-np", "4", "-c", "2048", "-n", "16", "--timeout", "20"];
const child = spawn(process.execPath, [main, "serve", ...flags, "--log-format", "json"], {
  stdio: ["ignore", "pipe", "pipe"],
});
let log = "";
child.stderr.on("data", (text) => (log = (log + text).slice(-20_000)));
const port = await new Promise((resolve, reject) => {
  child.once("exit", (code) => reject(new Error(`serve ended with ${code}: ${log}`)));
  child.stdout.on("data", (text) => {
    const found = /:(\d+)\s*$/m.exec(String(text));
    if (found !== null) resolve(Number(found[1]));
  });
});
const url = `http://127.0.0.1:${port}`;
const get = async (path) => (await fetch(url + path)).text();

for (let i = 0; i < 600 && !(await fetch(`${url}/health`)).ok; i++) await sleep(100);

/** Sends a request; resolves with what came back before the socket closed. */
function send({ bytes, leaves, closes, afterMs = 0 }) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const pieces = [];
    let timer;
    const patience = setTimeout(() => reject(new Error("no end of the answer")), PATIENCE_MS);
    const act = () => {
      if (closes === "reset") socket.resetAndDestroy();
      else socket.end();
    };
    socket.on("connect", () => {
      socket.write(bytes);
      if (leaves === true || closes !== undefined) timer = setTimeout(act, afterMs || 20);
      // What is no whole request is ended, else the server waits for more of it.
      else timer = setTimeout(() => socket.end(), 2000 + 10 * bytes.length ** 0.5);
    });
    socket.on("data", (piece) => pieces.push(piece));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      clearTimeout(patience);
      resolve(Buffer.concat(pieces).toString("latin1"));
    });
    // Bytes that are no HTTP get an answer or nothing; nobody waits for it.
    if (!bytes.includes("HTTP/1.1")) socket.setTimeout(200, () => socket.end());
  });
}

const statuses = new Map();
const failures = [];

async function check(index) {
  const request = hostileRequest(seed, index);
  try {
    const answer = await send(request);
    const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? "none";
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status === "500" || answer.includes("internal_error"))
      failures.push(`${index}: ${answer.slice(0, 600)}`);
  } catch (error) {
    failures.push(`${index}: ${error.message}`);
  }
}

const started = performance.now();
let next = 0;
const lane = async () => {
  while (next < count && child.exitCode === null && failures.length < 20) await check(next++);
};
if (values.only === undefined) await Promise.all(Array.from({ length: LANES }, lane));
else await check(Number(values.only));

/** Whether the server has nothing to do. */
async function isIdle() {
  const slots = JSON.parse(await get("/slots"));
  const metrics = await get("/metrics");
  const counts = ["processing", "deferred"].map((word) =>
    Number(new RegExp(`^llamacpp:requests_${word} (\\S+)$`, "m").exec(metrics)?.[1]),
  );
  return slots.every((one) => !one.is_processing) && counts.every((n) => n === 0);
}

async function finalChecks() {
  if (child.exitCode !== null || child.signalCode !== null)
    return failures.push(`the server died: ${child.exitCode ?? child.signalCode}\n${log}`);
  let isDone = false;
  for (let i = 0; i < 100 && !isDone; i++) {
    isDone = await isIdle();
    if (!isDone) await sleep(100);
  }
  if (!isDone) failures.push("requests are left running");
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "What is 1+1?" }], max_tokens: 8 }),
  });
  if (response.status !== 200) failures.push(`an honest request got ${response.status}`);
}
await finalChecks();
child.removeAllListeners("exit");
if (child.exitCode === null) {
  child.kill();
  await once(child, "exit");
}
for (const failure of failures) console.log(failure);
if (failures.length > 0) console.log(log.split("\n").slice(-20).join("\n"));
const seconds = Math.round((performance.now() - started) / 1000);
const table = [...statuses].sort().map(([status, n]) => `${status}: ${n}`);
console.log(table.join(", "));
console.log(
  `hostile requests: ${next} with seed ${seed}, ${failures.length} failures (${seconds} s)`,
);
process.exitCode = failures.length > 0 ? 1 : 0;
