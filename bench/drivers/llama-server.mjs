// The driver of llama.cpp's own server, built from the same vendored tree, over loopback: starts
// the server, and a client that streams server-sent events. Runs in a child process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { SAMPLING, runAll, runBy } from "./streams.mjs";
import { gpuFlags } from "./upstream.mjs";
import { freePort } from "../../scripts/free-port.mjs";

let child;
let base;

/** @param config - program, path, threads, sequences, contextSize, gpuLayers. */
export async function open({
  program,
  path,
  threads,
  sequences,
  contextSize,
  gpuLayers,
  unified = true,
}) {
  const port = await freePort();
  const sizes = [
    ...gpuFlags({ gpuLayers }),
    "-c",
    contextSize,
    "-np",
    sequences,
    "-b",
    2048,
    "-ub",
    512,
    unified ? "-kvu" : "-no-kvu",
  ];
  const args = [
    "-m",
    path,
    "-t",
    threads,
    "-tb",
    threads,
    ...sizes,
    "--host",
    "127.0.0.1",
    "--port",
    port,
    "-fit",
    "off",
    "--cache-ram",
    0,
  ];
  const start = performance.now();
  child = spawn(program, args.map(String), { stdio: "ignore" });
  process.once("exit", () => child.kill("SIGKILL"));
  base = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`llama-server ended with ${child.exitCode}`);
    const response = await fetch(`${base}/health`).catch(() => undefined);
    if (response?.ok) break;
    await sleep(5);
  }
  return { loadMs: performance.now() - start, pid: child.pid };
}

/** The data lines of a stream of server-sent events. */
async function* eventsOf(body) {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) yield line.slice(6);
  }
}

export const generate = (requests) => runAll(requests, stream);

/** The same by so many clients; each sends its next request when its last one has ended. */
export const generateBy = ({ clients, requests }) => runBy(clients, requests, stream);

async function stream({ prompt, maxTokens, seed, cachePrompt = false }, onTokens) {
  const { temperature, topK, topP, minP } = SAMPLING;
  const sampling = { temperature, top_k: topK, top_p: topP, min_p: minP, seed, ignore_eos: true };
  const request = {
    prompt,
    n_predict: maxTokens,
    stream: true,
    return_tokens: true,
    cache_prompt: cachePrompt,
    ...sampling,
  };
  const response = await fetch(`${base}/completion`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  if (!response.ok)
    throw new Error(`llama-server answered ${response.status}: ${await response.text()}`);
  let last;
  for await (const data of eventsOf(response.body)) {
    last = JSON.parse(data);
    if (!last.stop && last.tokens?.length > 0) onTokens(last.tokens.length);
  }
  return { promptTokens: last.tokens_evaluated, completionTokens: last.tokens_predicted };
}

export async function close() {
  if (child?.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}
