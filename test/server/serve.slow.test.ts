// `r1-native serve` as its user has it: flags, environment, loading, SIGTERM, a process that dies.
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { send } from "./sockets.js";

const root = join(import.meta.dirname, "../..");

interface Program {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly exited: Promise<number | null>;
  url: string;
  log: string;
}

const programs: Program[] = [];
afterEach(() => {
  for (const { child } of programs.splice(0)) child.kill("SIGKILL");
});

async function program(flags: string[], env: NodeJS.ProcessEnv = {}): Promise<Program> {
  const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), "serve", ...flags], {
    cwd: root,
    env: { ...process.env, LLAMA_ARG_PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const made: Program = { child, exited, url: "", log: "" };
  programs.push(made);
  child.stderr.setEncoding("utf8").on("data", (text: string) => (made.log += text));
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  const listening = async (): Promise<void> => {
    while (!out.includes("\n")) await sleep(10);
  };
  await Promise.race([listening(), exited]);
  made.url = /http\S+/.exec(out)?.[0] ?? "";
  return made;
}

async function health({ url }: Program): Promise<number> {
  return (await fetch(`${url}/health`)).status;
}

async function metrics({ url }: Program): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

async function loaded(server: Program): Promise<void> {
  while ((await health(server)) !== 200) await sleep(20);
}

const endless = {
  messages: [{ role: "user", content: "What is 1+1?" }],
  ignore_eos: true,
  max_tokens: 20_000,
  stream: true,
};

test("the port answers while the model loads, and with 200 then", async () => {
  const server = await program([]);
  expect([200, 503]).toContain(await health(server));
  await loaded(server);
  const models = await (await fetch(`${server.url}/v1/models`)).json();
  expect(models).toMatchObject({ data: [{ id: "tiny-r1", state: "ready" }] });
});

test.each([
  ["-m", "nowhere.gguf"],
  ["--add-model", "second=nowhere.gguf"],
])("%s with a missing file is one error, and no port is opened", async (...flags) => {
  const server = await program(flags);
  expect(await server.exited).toBe(1);
  expect(server.url).toBe("");
  expect(server.log).toMatch(
    /^error: The file ".*nowhere.gguf" does not exist\. Check the path\.\n/,
  );
});

test("flags and llama-server's environment variables say what it is called and who may", async () => {
  const server = await program(["--alias", "r1,gpt-4o"], { LLAMA_API_KEY: "secret" });
  await loaded(server);
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(401);
  const headers = { authorization: "Bearer secret" };
  const response = await fetch(`${server.url}/v1/models/gpt-4o`, { headers });
  expect(await response.json()).toMatchObject({ id: "r1" });
});

test("SIGTERM lets a running reply end, refuses new ones, and ends with code 0", async () => {
  const server = await program(["--drain", "600", "--loop-guard", "0"]);
  await loaded(server);
  const ask = { ...endless, max_tokens: 4000 };
  const { response } = send(`${server.url}/v1/chat/completions`, ask);
  let text = "";
  const reply = (await response).setEncoding("utf8").on("data", (piece: string) => (text += piece));
  const ended = once(reply, "end");
  while (!text.includes("data:")) await sleep(5);
  server.child.kill("SIGTERM");
  while ((await health(server)) === 200) await sleep(5);
  await ended;
  expect(text).toMatch(/"finish_reason":"length"[^]*data: \[DONE\]\n\n$/);
  expect(await server.exited).toBe(0);
});

test("what has not ended after --drain ends with an error in its protocol", async () => {
  const server = await program(["--drain", "0", "--loop-guard", "0"]);
  await loaded(server);
  const { response } = send(`${server.url}/v1/chat/completions`, endless);
  let text = "";
  const reply = (await response).setEncoding("utf8").on("data", (piece: string) => (text += piece));
  while (!text.includes("data:")) await sleep(5);
  server.child.kill("SIGTERM");
  await once(reply, "end");
  expect(text).toMatch(/data: \{"error":\{[^\n]*"code":"shutting_down"\}\}\n\n$/);
  expect(await server.exited).toBe(0);
});

test("a second signal ends at once", async () => {
  const server = await program(["--drain", "600", "--loop-guard", "0"]);
  await loaded(server);
  const { response } = send(`${server.url}/v1/chat/completions`, { ...endless, max_tokens: -1 });
  (await response).resume();
  server.child.kill("SIGTERM");
  while ((await health(server)) === 200) await sleep(5);
  server.child.kill("SIGTERM");
  expect(await server.exited).toBeNull();
});

/** Processes that a process has started. */
function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return list
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(Number);
}

test.runIf(process.platform === "linux")(
  "when the model's process dies, its replies end with an error and it is loaded again",
  async () => {
    const server = await program([
      "--isolation",
      "process",
      "--parallel",
      "5",
      "--loop-guard",
      "0",
    ]);
    await loaded(server);
    const { messages, ignore_eos } = endless;
    // What these protocols have in place of `ignore_eos`.
    const names = Array.from("abcdefgh");
    const long = {
      type: "object",
      properties: Object.fromEntries(
        names.map((name) => [name, { type: "string", minLength: 2000 }]),
      ),
      required: names,
    };
    const bodies = {
      "/v1/chat/completions": { messages, ignore_eos, max_tokens: -1, stream: true },
      "/v1/completions": { prompt: "1+1=", ignore_eos, max_tokens: 100_000, stream: true },
      "/v1/responses": {
        input: "What is 1+1?",
        text: { format: { type: "json_schema", name: "a", schema: long } },
        reasoning: { effort: "none" },
        stream: true,
      },
      "/v1/messages": {
        model: "tiny-r1",
        messages,
        tools: [{ name: "f", input_schema: long }],
        tool_choice: { type: "any" },
        max_tokens: 100_000,
        stream: true,
      },
    };
    const texts: Record<string, string> = {};
    const ends = Object.entries(bodies).map(async ([path, body]) => {
      const reply = (await send(server.url + path, body).response).setEncoding("utf8");
      reply.on("data", (piece: string) => (texts[path] = (texts[path] ?? "") + piece));
      await once(reply, "end");
    });
    const whole = fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages, ignore_eos, max_tokens: -1 }),
    });
    while (Object.values(texts).filter((text) => text.includes("data:")).length < ends.length)
      await sleep(5);
    while (!/^llamacpp:requests_processing 5$/m.test(await metrics(server))) await sleep(5);
    for (const pid of childrenOf(server.child.pid!)) process.kill(pid, "SIGKILL");
    // It is loaded again after a second: looked at from the death on.
    const tells = (async (): Promise<void> => {
      while ((await health(server)) === 200) await sleep(5);
    })();
    await Promise.all([...ends, tells]);
    const openaiEnd = /data: \{"error":\{[^\n]*"code":"model_stopped"\}\}\n\n$/;
    expect(texts["/v1/chat/completions"]).toMatch(openaiEnd);
    expect(texts["/v1/completions"]).toMatch(openaiEnd);
    expect(texts["/v1/responses"]).toMatch(
      /event: response\.failed\ndata: \{[^\n]*"error":\{"code":"server_error"[^\n]*\}\n\n$/,
    );
    expect(texts["/v1/messages"]).toMatch(
      /event: error\ndata: \{"type":"error","error":\{"type":"\w+_error"[^\n]*\}\n\n$/,
    );
    const refused = await whole;
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { code: "model_stopped" } });
    await loaded(server);
    const again = send(`${server.url}/v1/chat/completions`, { ...endless, max_tokens: 3 });
    expect((await again.response).statusCode).toBe(200);
  },
);

test("a port that is taken, a word too many and a wrong flag are told with what to do", async () => {
  const first = await program([]);
  const { port } = new URL(first.url);
  const second = await program(["--port", port]);
  expect([await second.exited, second.log]).toEqual([1, expect.stringMatching(/another program/)]);
  const third = await program(["model.gguf"]);
  expect([await third.exited, third.log]).toEqual([2, expect.stringMatching(/--model FILE/)]);
  const open = await program(["--host", "0.0.0.0"]);
  expect([await open.exited, open.log]).toEqual([2, expect.stringMatching(/--no-auth/)]);
});
