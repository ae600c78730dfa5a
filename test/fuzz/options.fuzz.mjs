// Random options, right, wrong and hostile, for the public functions that take any: each call ends
// in a result, an R1Error, or what the caller's own object threw. No other error, no hang.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as files from "../../dist/files.js";
import { resolveModel } from "../../dist/hub.js";
import * as r1 from "../../dist/index.js";
import { planOffload, ruleOfThumbLayers } from "../../dist/plan.js";

const OWN = new Error("thrown by the caller's own object");
const MODEL = new URL("../../models/tiny-r1.gguf", import.meta.url).pathname;

/** Values that no function expects. */
function hostile(random) {
  const detached = new Int32Array(4);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const cycle = {};
  cycle.self = cycle;
  return random.pick([
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    2 ** 53,
    10n,
    "",
    "x",
    "\ud800",
    "a\0b",
    "x".repeat(10_000),
    Symbol("s"),
    () => undefined,
    [],
    new Array(1),
    [[]],
    [null],
    {},
    cycle,
    Object.create(null),
    new Map(),
    new Date(),
    /x/,
    new (class Odd {
      static name = Symbol("n");
    })(),
    new Proxy(
      {},
      {
        get: () => {
          throw OWN;
        },
        ownKeys: () => {
          throw OWN;
        },
      },
    ),
    {
      get signal() {
        throw OWN;
      },
      get maxTokens() {
        throw OWN;
      },
    },
    JSON.parse('{"__proto__":{"maxTokens":1}}'),
    new Int32Array([1, 2]),
    new Int32Array([-1, 1e9]),
    detached,
    new Int32Array(new SharedArrayBuffer(8)),
    new Float64Array(2),
    new URL("https://example.invalid/x"),
    AbortSignal.abort(OWN),
    Promise.resolve(1),
  ]);
}

const GENERATE = [
  "maxTokens",
  "seed",
  "temperature",
  "topK",
  "topP",
  "minP",
  "stop",
  "signal",
  "timeoutMs",
  "reasoning",
  "response",
  "tools",
  "toolChoice",
  "template",
  "speculation",
  "logprobs",
  "logitBias",
  "samplers",
  "preset",
  "cachePrompt",
  "openThink",
  "n",
  "loopGuard",
  "ignoreEos",
  "maxTokns",
];
const LOAD = [
  "contextSize",
  "threads",
  "devices",
  "tensorOverrides",
  "metadataOverrides",
  "rope",
  "isolation",
  "rpc",
  "logger",
  "onProgress",
  "signal",
  "gpuLayers",
  "cacheTypeK",
  "numa",
  "backendDir",
  "draftModel",
  "tensorSplit",
  "sequences",
  "kvUnified",
  "priority",
  "poll",
];
const PLAN = [
  "vramGiB",
  "ramGiB",
  "devices",
  "contextSize",
  "cacheTypeK",
  "bandwidth",
  "ubatchSize",
  "backendDir",
  "signal",
];

/** What is called, with values that are right in their place. */
function calls(model, session, folder) {
  const messages = [{ role: "user", content: "hi" }];
  const short = { maxTokens: 2, seed: 1 };
  const generated = (generation) =>
    Array.isArray(generation)
      ? Promise.all(generation.map((one) => one.result()))
      : generation.result();
  return [
    {
      name: "chat",
      keys: GENERATE,
      first: messages,
      options: short,
      call: (...given) => generated(model.chat(...given)),
    },
    {
      name: "complete",
      keys: GENERATE,
      first: "hi",
      options: short,
      call: (...given) => generated(model.complete(...given)),
    },
    {
      name: "choices",
      keys: GENERATE,
      first: messages,
      options: { ...short, n: 2 },
      call: (...given) => generated(model.choices(...given)),
    },
    {
      name: "send",
      keys: GENERATE,
      first: "hi",
      options: short,
      call: (...given) => generated(session.send(...given)),
    },
    {
      name: "formatChat",
      keys: GENERATE,
      first: messages,
      options: {},
      call: (...given) => model.formatChat(...given),
    },
    {
      name: "session",
      keys: ["system", ...GENERATE],
      first: {},
      options: {},
      call: (given) => model.session(given),
    },
    {
      name: "encode",
      keys: ["special"],
      first: "hi",
      options: {},
      call: (...given) => model.tokenizer.encode(...given),
    },
    {
      name: "decode",
      keys: [],
      first: new Int32Array([1]),
      options: undefined,
      call: (given) => model.tokenizer.decode(given),
    },
    {
      name: "loadModel",
      keys: LOAD,
      first: MODEL,
      options: { contextSize: 256 },
      call: async (...given) => (await r1.loadModel(...given)).close(),
    },
    {
      name: "inspectGguf",
      keys: ["signal", "tensors"],
      first: MODEL,
      options: {},
      call: (...given) => files.inspectGguf(...given),
    },
    {
      name: "diagnose",
      keys: ["signal"],
      first: MODEL,
      options: {},
      call: (...given) => files.diagnose(...given),
    },
    {
      name: "planOffload",
      keys: PLAN,
      first: MODEL,
      options: { vramGiB: [8] },
      call: (...given) => planOffload(...given),
    },
    {
      name: "devices",
      keys: ["backendDir"],
      first: {},
      options: undefined,
      call: (given) => r1.devices(given),
    },
    {
      name: "ruleOfThumbLayers",
      keys: [],
      first: 8,
      options: 100,
      call: (...given) => ruleOfThumbLayers(...given),
    },
    {
      name: "startRpcServer",
      keys: ["host", "port", "threads", "devices", "cache", "signal"],
      first: { port: -1 },
      options: undefined,
      call: (given) =>
        r1
          .startRpcServer(
            given !== null && typeof given === "object" ? given : { port: given ?? -1 },
          )
          .then((server) => server.close()),
    },
    {
      name: "resolveModel",
      keys: ["cache", "dir", "signal"],
      first: "hf:",
      options: { cache: join(folder, "none") },
      call: (...given) => resolveModel(...given),
    },
  ];
}

/** A right call with one to three places wrong. */
function spoilt(random, { keys, first, options }) {
  const given = [first, typeof options === "object" && options !== null ? { ...options } : options];
  for (let left = random.between(1, 3); left > 0; left--) {
    const where = random.below(4);
    if (where === 0) given[0] = hostile(random);
    else if (where === 1 && given[0] === first && Array.isArray(first) && given[0].length > 0)
      given[0] = [
        {
          ...given[0][0],
          [random.pick(["role", "content", "toolCalls", "name", "x"])]: hostile(random),
        },
      ];
    else if (where === 2) given[1] = hostile(random);
    else if (typeof given[1] === "object" && given[1] !== null && keys.length > 0)
      try {
        given[1] = { ...given[1], [random.pick(keys)]: hostile(random) };
      } catch {
        // A proxy that cannot be spread stays as it is.
      }
  }
  return given;
}

function words(given) {
  return given
    .map((one) => {
      try {
        return JSON.stringify(one)?.slice(0, 80) ?? typeof one;
      } catch {
        return typeof one;
      }
    })
    .join(", ");
}

export async function fuzz({ random, isOver }) {
  const folder = mkdtempSync(join(tmpdir(), "r1-fuzz-options-"));
  const model = await r1.loadModel({ contextSize: 1024, threads: 1 });
  const all = calls(model, model.session(), folder);
  const failures = [];
  const unhandled = (error) => failures.push(`unhandled rejection: ${String(error)}`);
  process.on("unhandledRejection", unhandled);
  const LIMIT_MS = 30_000;
  let tried = 0;
  let refused = 0;
  try {
    for (; !isOver(tried); tried++) {
      // Loads and reads of files cost more than checks.
      const target = random.oneIn(20) ? random.pick(all) : all[random.below(8)];
      const given = spoilt(random, target);
      let timer;
      try {
        const late = new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error("did not end")), LIMIT_MS);
        });
        await Promise.race([Promise.resolve().then(() => target.call(...given)), late]);
      } catch (error) {
        refused++;
        if (error !== OWN && error?.cause !== OWN && !r1.isR1Error(error))
          failures.push(
            `${target.name}(${words(given)}): ${error?.name}: ${String(error?.message).slice(0, 160)} ${
              String(error?.stack)
                .split("\n")
                .find((line) => /dist\//.test(line))
                ?.trim() ?? ""
            }`,
          );
      } finally {
        clearTimeout(timer);
      }
    }
  } finally {
    process.off("unhandledRejection", unhandled);
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { tried, failures, note: `${refused} refused` };
}
