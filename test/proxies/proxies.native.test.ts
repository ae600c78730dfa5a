// The configurations of docs/guide/server.md for nginx and HAProxy, as they stand there but for
// addresses: streams arrive piece by piece, and a conversation always reaches the same host.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel } from "../../lib/index.js";
import type { Model } from "../../lib/index.js";
import { createApp, serve } from "../../lib/server.js";
import type { RunningServer } from "../../lib/server.js";
import { freePort } from "../../scripts/free-port.mjs";

const docs = readFileSync(new URL("../../docs/guide/server.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "r1-proxy-"));
const running: ChildProcess[] = [];
const models: Model[] = [];
const hosts: RunningServer[] = [];

beforeAll(async () => {
  for (let i = 0; i < 2; i++) {
    const model = await loadModel({ sequences: 2, contextSize: 8192 });
    models.push(model);
    hosts.push(await serve(createApp({ r1: model }, { apiKeys: ["alice", "bob"] }), { port: 0 }));
  }
});
afterAll(async () => {
  // Not SIGKILL: nginx's workers would stay behind.
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
  for (const host of hosts) await host.close();
  for (const model of models) await model.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A code block of the page, with the addresses of this test. */
function configuration(language: string, port: number): string {
  const block = new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(docs)?.[1];
  if (block === undefined) throw new Error(`docs/guide/server.md has no block ${language}`);
  return block
    .replaceAll("10.0.0.1:8080", `127.0.0.1:${hosts[0]?.port}`)
    .replaceAll("10.0.0.2:8080", `127.0.0.1:${hosts[1]?.port}`)
    .replace(/(listen |bind ):?80\b/, `$1127.0.0.1:${port}`);
}

const PROXIES: Record<string, (port: number) => readonly [string, ...string[]]> = {
  nginx: (port) => {
    const file = join(folder, "nginx.conf");
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join("\n");
    const block = configuration("nginx", port);
    writeFileSync(
      file,
      `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;\n` +
        `events {}\nhttp {\naccess_log off;\n${paths}\n${block}\n}\n`,
    );
    return ["nginx", "-p", folder, "-e", `${folder}/error.log`, "-c", file];
  },
  haproxy: (port) => {
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, `${configuration("haproxy", port)}\n`);
    return ["haproxy", "-db", "-f", file];
  },
};

async function start(name: string): Promise<string> {
  const port = await freePort();
  const [program, ...args] = PROXIES[name]!(port);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  running.push(child);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${errors}`);
    const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    if (response?.status === 200) return `http://127.0.0.1:${port}`;
    await sleep(50);
  }
}

const question = (content: string, more: object): RequestInit["body"] =>
  JSON.stringify({ messages: [{ role: "user", content }], ...more });

const headersOf = (key: string, session?: string): Record<string, string> => ({
  "content-type": "application/json",
  authorization: `Bearer ${key}`,
  ...(session === undefined ? {} : { "x-session-id": session }),
});

interface Whole {
  readonly usage: { readonly prompt_tokens_details: { readonly cached_tokens: number } };
}

describe.each(Object.keys(PROXIES))("behind %s", (name) => {
  let base: string;
  beforeAll(async () => (base = await start(name)));
  const chat = async (
    headers: Record<string, string>,
    body: RequestInit["body"],
  ): Promise<Response> =>
    fetch(`${base}/v1/chat/completions`, { method: "POST", headers, body: body as string });

  test("the first token arrives while the reply is being written", async () => {
    const long = { stream: true, max_tokens: 4000, ignore_eos: true };
    const response = await chat(headersOf("alice"), question("What is 1+1?", long));
    expect(response.status).toBe(200);
    const reader = response.body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value as Uint8Array);
    expect(first).toMatch(/^data: /);
    expect(models.some((model) => model.stats().running > 0)).toBe(true);
    let text = first;
    for (let next = await reader.read(); !next.done; next = await reader.read())
      text += new TextDecoder().decode(next.value as Uint8Array);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });

  test("a client that goes away frees its sequence", async () => {
    const gone = new AbortController();
    const long = { stream: true, max_tokens: -1, ignore_eos: true };
    const response = await fetch(`${base}/v1/chat/completions`, {
      method: "POST",
      headers: headersOf("alice"),
      body: question("What is 1+1?", long) as string,
      signal: gone.signal,
    });
    await response.body!.getReader().read();
    gone.abort();
    const end = performance.now() + 20_000;
    while (models.some((model) => model.stats().running > 0)) {
      expect(performance.now()).toBeLessThan(end);
      await sleep(10);
    }
  });

  test("a session always reaches the same host, where its prompt is cached", async () => {
    const story = `${name} one two three four five six seven `.repeat(10);
    const reached = new Set<number>();
    // nginx hashes the addresses, with other ports in each run: of 32 sessions none is alone.
    for (let session = 0; session < 32; session++) {
      const headers = headersOf("alice", `session-${session}`);
      const ask = question(`${session} ${story}`, { max_tokens: 2 });
      const before = models.map((model) => model.stats().requests);
      await (await chat(headers, ask)).arrayBuffer();
      const again = (await (await chat(headers, ask)).json()) as Whole;
      const counts = models.map((model, i) => model.stats().requests - (before[i] ?? 0));
      expect([...counts].sort()).toEqual([0, 2]);
      reached.add(counts.indexOf(2));
      expect(again.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(20);
    }
    expect(reached.size).toBe(2);
  });

  test("a wrong key is refused by the server behind it", async () => {
    const response = await chat(headersOf("mallory"), question("x", {}));
    expect(response.status).toBe(401);
  });
});
