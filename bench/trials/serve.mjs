// Clients that stream from `r1-native serve`, compared with llama-server from the same tree: tokens
// a second, time to first token, gaps, and the processor time of a token beyond `model.chat`.
import { between, random } from "../core/stats.mjs";
import { processorMs, startServer } from "../core/http-servers.mjs";
import { wordsPrompt } from "../core/prompts.mjs";
import { atLeast, atMost, compare, judge, OURS } from "../core/rows.mjs";
import { wanted, withProcess } from "../core/subjects.mjs";

export const title = "1, 16 and 64 clients of `r1-native serve`, against llama-server";

/**
 * What each request of a run asks for. `words`: of its prompt. `warm`: requests that come before, so
 * many that V8 has compiled the code of a server that runs for a while.
 */
const SIZES = {
  "tiny-r1": { words: [4, 12], tokens: 64, perClient: 4, warm: 128 },
  other: { words: [16, 32], tokens: 128, perClient: 1, warm: 64 },
};
/** With --quick, where most of a reply's time is its prompt's. */
const SHORT_REPLY = 24;
/** Tokens of a request that warms a server up. */
const WARM_TOKENS = 8;

function sizesOf(bench) {
  const sizes = SIZES[bench.model] ?? SIZES.other;
  return bench.quick ? { ...sizes, tokens: SHORT_REPLY } : sizes;
}

const SAMPLING = { temperature: 0.6, top_k: 40, top_p: 0.95, min_p: 0.05 };

/** Requests of one run: the same for every server, and no two begin alike. */
function requestsOf(bench, clients, round, tokens = sizesOf(bench).tokens) {
  const { words, perClient } = sizesOf(bench);
  const count = clients === 1 ? 4 * perClient : clients * perClient;
  const next = random(9000 + round * 100 + clients);
  return Array.from({ length: count }, (_, i) => {
    const prompt = wordsPrompt(between(next, ...words), round * 100_000 + clients * 1000 + i);
    const body = {
      messages: [{ role: "user", content: prompt }],
      max_tokens: tokens,
      stream: true,
      stream_options: { include_usage: true },
      ignore_eos: true,
      seed: i,
      ...SAMPLING,
    };
    return { path: "/v1/chat/completions", body: JSON.stringify(body) };
  });
}

const metricsFor = (clients) => {
  const isMany = clients > 1;
  return [
    {
      metric: `tokens, ${clients} clients`,
      unit: "tokens/s",
      pick: (sample) => sample.tokensPerSecond,
      bars: isMany ? { "llama-server": atLeast(1) } : {},
    },
    {
      metric: `TTFT, median, ${clients} clients`,
      unit: "ms",
      pick: (sample) => sample.ttft,
      bars: { "llama-server": atMost(0.8) },
    },
    { metric: `TTFT, p99, ${clients} clients`, unit: "ms", pick: (sample) => sample.ttftLate },
    { metric: `TPOT, median, ${clients} clients`, unit: "ms", pick: (sample) => sample.tpot },
    { metric: `TPOT, p99, ${clients} clients`, unit: "ms", pick: (sample) => sample.tpotLate },
    { metric: `gap, median, ${clients} clients`, unit: "ms", pick: (sample) => sample.gap },
    { metric: `gap, p99, ${clients} clients`, unit: "ms", pick: (sample) => sample.gapLate },
    {
      metric: `longest gap over the median, ${clients} clients`,
      unit: "x",
      pick: (sample) => sample.gapLongest / sample.gap,
      ...(clients === 64 ? { ownBar: { text: "< 10", holds: (value) => value < 10 } } : {}),
    },
    {
      metric: `processor time of a token, ${clients} clients`,
      unit: "µs",
      pick: (sample) => sample.tokenUs,
    },
  ];
};

/** Rows of one number of clients. */
async function clientsRows(bench, clients) {
  const path = await bench.path(bench.model);
  const open = {};
  try {
    for (const name of [OURS, ...wanted(bench, ["llama-server"])])
      open[name] = await startServer(bench, name, {
        path,
        sequences: clients,
        contextSize: Math.max(2048, clients * 384),
      });
    return await withProcess(bench, "probes/http-load.mjs", async (probe) => {
      // A server that has run for a while: its code is compiled, its pages are mapped.
      const { warm } = sizesOf(bench);
      const some = requestsOf(bench, clients, 899, WARM_TOKENS).slice(0, warm);
      for (const { base } of Object.values(open))
        for (let left = warm; left > 0; left -= some.length)
          await probe.call("run", { base, clients, requests: some });
      const rounds = Object.fromEntries(Object.keys(open).map((name) => [name, 0]));
      const subjects = Object.fromEntries(
        Object.entries(open).map(([name, { base, pid }]) => [
          name,
          async () => {
            const one = requestsOf(bench, 1, 900 + rounds[name]).slice(0, 1);
            await probe.call("run", { base, clients: 1, requests: one });
            const requests = requestsOf(bench, clients, rounds[name]++);
            const before = processorMs(pid);
            const found = await probe.call("run", { base, clients, requests });
            const tokenUs = ((processorMs(pid) - before) / found.tokens) * 1000;
            return { ...found, tokenUs };
          },
        ]),
      );
      return await compare(bench, {
        rounds: bench.fewRounds(3),
        trial: "serve",
        model: bench.model,
        subjects,
        metrics: metricsFor(clients),
        sequences: clients,
      });
    });
  } finally {
    for (const server of Object.values(open)) await server.close();
  }
}

/** The JavaScript thread's time of a token: through the server, less in one process. */
async function overheadRow(bench) {
  const clients = 16;
  const path = await bench.path(bench.model);
  const config = { path, sequences: clients, contextSize: clients * 384 };
  const bodies = requestsOf(bench, clients, 500).map(({ body }) => JSON.parse(body));
  const inside = await withProcess(bench, "probes/chat-cost.mjs", (probe) =>
    probe.call("run", { ...config, threads: bench.threads, clients, bodies }),
  );
  const server = await startServer(bench, OURS, config);
  try {
    const outside = await withProcess(bench, "probes/http-load.mjs", async (probe) => {
      const run = (round) =>
        probe.call("run", {
          base: server.base,
          clients,
          requests: requestsOf(bench, clients, round),
        });
      await run(501);
      const before = processorMs(server.pid, true);
      const { tokens } = await run(500);
      return ((processorMs(server.pid, true) - before) / tokens) * 1000;
    });
    const value = outside - inside.tokenUs;
    return {
      trial: "serve",
      model: bench.model,
      subject: OURS,
      metric: "processor time of a token beyond `model.chat`, JavaScript's thread, 16 clients",
      unit: "µs",
      value,
      bar: judge(bench, atMost(30), value),
      note: `${outside.toFixed(1)} µs through the server, ${inside.tokenUs.toFixed(1)} in one process`,
    };
  } finally {
    await server.close();
  }
}

export async function run(bench) {
  const rows = [];
  for (const clients of [1, 16, 64]) rows.push(...(await clientsRows(bench, clients)));
  rows.push(await overheadRow(bench));
  return rows;
}
