// What our server does when clients go away, wait or disconnect at random, and how `/health` answers
// meanwhile; routes without tokens by `wrk`, compared with llama-server's.
import { spawnSync } from "node:child_process";
import { startServer } from "../core/http-servers.mjs";
import { runProgram } from "../core/processes.mjs";
import { atMost, judge, OURS } from "../core/rows.mjs";
import { median } from "../core/stats.mjs";
import { wanted, withProcess } from "../core/subjects.mjs";

export const title = "clients of the server that go away, wait or ask for its health";

const MIB = 2 ** 20;
const NAMES = { trial: "serve-limits", model: "tiny-r1", subject: OURS };

/** Rows of one probe whose server has these settings. */
async function probed(bench, settings, use) {
  const path = await bench.path("tiny-r1");
  return withProcess(bench, "probes/serve-limits.mjs", async (probe) => {
    await probe.call("open", { path, threads: bench.threads, ...settings });
    const rows = await use((name, argument) => probe.call(name, argument));
    await probe.call("close");
    return rows;
  });
}

async function stopRows(bench) {
  return probed(bench, { sequences: 1, contextSize: 32_768 }, async (call) => {
    const found = await call("stops", { rounds: bench.quick ? 5 : 20 });
    return Object.entries(found).map(([state, { median: middle, longest }]) => ({
      ...NAMES,
      metric: `a client that goes away, ${state}: until its sequence is free, longest`,
      unit: "ms",
      value: longest,
      bar: judge(bench, atMost(200), longest),
      note: `median ${middle.toFixed(1)} ms`,
    }));
  });
}

async function idleRow(bench) {
  const limits = { maxQueuePerKey: 2000 };
  return probed(bench, { sequences: 1, contextSize: 32_768, limits }, async (call) => {
    const { bytes } = await call("idleStreams", { count: 1000 });
    const value = bytes / MIB;
    const bar = judge(bench, atMost(100), value);
    return [{ ...NAMES, metric: "memory of 1,000 idle streams", unit: "MiB", value, bar }];
  });
}

async function healthRow(bench) {
  return probed(bench, { sequences: 16, contextSize: 65_536 }, async (call) => {
    const { median: value, late } = await call("health", { count: bench.quick ? 100 : 400 });
    const bar = judge(bench, atMost(5), value);
    const note = `p99 ${late.toFixed(1)} ms`;
    return [{ ...NAMES, metric: "GET /health while 16 run, median", unit: "ms", value, bar, note }];
  });
}

async function disconnectRows(bench) {
  const count = bench.quick ? 1000 : 10_000;
  return probed(bench, { sequences: 16, contextSize: 8192 }, async (call) => {
    const { ended, memory, left, deferred } = await call("disconnects", { count });
    const half = memory.slice(Math.floor(memory.length / 2));
    const middle = Math.floor(half.length / 2);
    const growth = median(half.slice(middle)) / median(half.slice(0, middle));
    const isDone = ended === count && left === 0 && deferred === 0;
    return [
      {
        ...NAMES,
        metric: "memory after random disconnects, last quarter / the one before",
        unit: "x",
        value: growth,
        bar: judge(bench, atMost(1.02), growth),
        note: `${Math.round(memory.at(-1) / MIB)} MiB at the end`,
      },
      {
        ...NAMES,
        metric: `requests left of ${count} with random disconnects`,
        unit: "",
        value: left + deferred,
        bar: judge(bench, { text: "none, all ended", holds: () => isDone }, 0),
      },
    ];
  });
}

async function wrkRows(bench) {
  if (spawnSync("wrk", ["-v"]).error !== undefined) {
    bench.progress("wrk is not installed: the routes without tokens are left out");
    return [];
  }
  const rows = [];
  const config = { path: await bench.path("tiny-r1"), sequences: 4, contextSize: 8192 };
  for (const name of [OURS, ...wanted(bench, ["llama-server"])]) {
    const server = await startServer(bench, name, config);
    try {
      for (const route of ["/health", "/v1/models"]) {
        const seconds = bench.quick ? "2s" : "8s";
        const { out } = await runProgram("wrk", [
          "-t1",
          "-c16",
          "-d",
          seconds,
          server.base + route,
        ]);
        const value = Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1]);
        const metric = `wrk -t1 -c16, GET ${route}`;
        rows.push({ ...NAMES, subject: name, metric, unit: "requests/s", value });
      }
    } finally {
      await server.close();
    }
  }
  return rows;
}

export async function run(bench) {
  const rows = [];
  for (const part of [stopRows, idleRow, healthRow, disconnectRows, wrkRows])
    rows.push(...(await part(bench)));
  return rows;
}
