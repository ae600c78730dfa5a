// Sends streamed requests to a server and times them by the definitions of vLLM's `bench serve`:
// time to first token (TTFT), time per output token (TPOT: what follows the first, over the tokens
// but the first), and gaps between chunks with text (ITL). Runs in a client's process.
import { Agent, request } from "node:http";
import { percentile } from "./stats.mjs";

/** Whether a chunk carries text. */
const HAS_TEXT = /"(?:content|reasoning_content|text)":"(?!")/;
const TOKENS = /"completion_tokens":(\d+)/;

/** One streamed request. Resolves with its times, in milliseconds from its start, and its tokens. */
export function stream(base, { path, body }, agent) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const times = [];
    let tokens = 0;
    let rest = "";
    let status = 0;
    const client = request(
      `${base}${path}`,
      { method: "POST", agent, headers: { "content-type": "application/json" } },
      (response) => {
        status = response.statusCode;
        response.setEncoding("utf8");
        response.on("data", (text) => {
          const now = performance.now() - start;
          const frames = (rest + text).split("\n\n");
          rest = frames.pop();
          for (const frame of frames) {
            if (HAS_TEXT.test(frame)) times.push(now);
            const found = TOKENS.exec(frame);
            if (found !== null) tokens = Number(found[1]);
          }
        });
        response.on("end", () =>
          status === 200
            ? resolve({ times, tokens, endMs: performance.now() - start })
            : reject(new Error(`${status}: ${rest.slice(0, 300)}`)),
        );
        response.on("error", reject);
      },
    );
    client.on("error", reject);
    client.end(body);
  });
}

/**
 * Sends the requests by so many clients; each sends its next one when its last one has ended.
 *
 * @returns the figures of the run; times in milliseconds.
 */
export async function load(base, clients, requests) {
  // A connection of its own for each request, as llama-server closes them. (An agent with a finite
  // `maxSockets` would ask for connections that stay open.)
  const agent = new Agent({ keepAlive: false });
  const left = requests.values();
  const rows = [];
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (const one of left) rows.push(await stream(base, one, agent));
    }),
  );
  const wallMs = performance.now() - begin;
  agent.destroy();
  const gaps = rows.map(({ times }) => times.slice(1).map((time, i) => time - times[i]));
  const all = gaps.flat();
  const first = rows.map(({ times }) => times[0]);
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  const perToken = rows.map(({ times, tokens: n }) => (times.at(-1) - times[0]) / (n - 1));
  const longest = gaps.map((list) => Math.max(...list));
  return {
    wallMs,
    tokens,
    tokensPerSecond: (tokens / wallMs) * 1000,
    requestsPerSecond: (rows.length / wallMs) * 1000,
    ttft: percentile(first, 50),
    ttftLate: percentile(first, 99),
    tpot: percentile(perToken, 50),
    tpotLate: percentile(perToken, 99),
    gap: percentile(all, 50),
    gapLate: percentile(all, 99),
    gapLongest: Math.max(...longest),
  };
}
