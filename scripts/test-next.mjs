// npm run test:next: installs Next into a temporary folder, builds examples/next there with this
// package as its user has it, and reads a streamed reply from it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "r1-next-"));
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };

/** Runs a program in the temporary folder to its end. */
async function runProgram(program, args) {
  const child = spawn(program, args, { cwd: folder, env, stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}`);
}

/** The example with this package's dependencies, and this package copied among them. */
async function install() {
  cpSync(join(root, "examples/next"), folder, { recursive: true });
  const example = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const dependencies = { ...own.dependencies, ...example.dependencies };
  delete dependencies["r1-native"];
  const all = { ...example, dependencies };
  writeFileSync(join(folder, "package.json"), JSON.stringify(all));
  await runProgram("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
  const target = join(folder, "node_modules/r1-native");
  mkdirSync(join(target, "models"), { recursive: true });
  for (const part of ["package.json", "dist", "build/Release", "models/tiny-r1.gguf"])
    cpSync(join(root, part), join(target, part), { recursive: true });
}

/** A streamed reply. @throws {Error} unless it comes in pieces, with text, to its end. */
async function check(base) {
  const response = await fetch(`${base}/llm/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "What is 1+1?" }], stream: true }),
  });
  let text = "";
  let pieces = 0;
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    pieces++;
  }
  if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
  if (!/"content":"[^"]/.test(text) || !text.endsWith("data: [DONE]\n\n"))
    throw new Error(`no whole reply: ${text.slice(-500)}`);
  if (pieces < 2) throw new Error("the reply came in one piece");
  return pieces;
}

let server;
try {
  await install();
  const next = join(folder, "node_modules/.bin/next");
  await runProgram(next, ["build"]);
  const port = await freePort();
  const args = ["start", "--hostname", "127.0.0.1", "--port", String(port)];
  server = spawn(next, args, { cwd: folder, env, stdio: "inherit" });
  const base = `http://127.0.0.1:${port}`;
  while (!(await fetch(base).catch(() => undefined))?.ok) {
    if (server.exitCode !== null) throw new Error(`next start ended with ${server.exitCode}`);
    await sleep(100);
  }
  console.log(`examples/next answers: a streamed reply in ${await check(base)} pieces`);
} finally {
  if (server !== undefined && server.exitCode === null) {
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    const timer = setTimeout(() => server.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
