// Loading on the real addon: cache types, facts, refusals, logging, and the event loop meanwhile.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { loadModel } from "../../lib/model/load-model.js";
import { CACHE_TYPES } from "../../lib/weights/cache-types.js";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { devices } from "../../lib/machine/devices.js";
import { GREEDY, loadTiny, patchedTiny, withFolder } from "../fixtures/tiny.js";

const QUESTION = [{ role: "user", content: "What is 1+1?" }] as const;

describe("the cache", () => {
  // 4 layers, rows of 96 values: 64 latent and 32 rotary ones.
  const bytesOfRow = {
    f32: 384,
    f16: 192,
    bf16: 192,
    q8_0: 102,
    q5_1: 72,
    q5_0: 66,
    iq4_nl: 54,
    q4_1: 60,
    q4_0: 54,
  };

  it.each(CACHE_TYPES)(
    "of type %s is taken for K and V of an MLA file, in the bytes llama.cpp allocates",
    async (cacheTypeK) => {
      const lines: string[] = [];
      const model = await loadTiny({ cacheTypeK, logger: ({ text }) => lines.push(text) });
      const result = await model.chat(QUESTION, GREEDY).result();
      expect(result.answer).toMatch(/2/);
      const { cache } = model.info;
      expect(cache).toEqual({
        typeK: cacheTypeK,
        typeV: cacheTypeK,
        bytes: 2048 * 4 * bytesOfRow[cacheTypeK],
      });
      // llama.cpp's own words: "size = 1.50 MiB (2048 cells, 4 layers, ...".
      await model.close();
      const told = lines.join("\n").match(/llama_kv_cache: size =\s*([\d.]+) MiB/)?.[1];
      expect(Number(told)).toBeCloseTo(cache.bytes / 1024 ** 2, 1);
    },
  );

  it("of two types on an MLA file is refused, and so are absurd sizes", async () => {
    await expect(loadTiny({ cacheTypeK: "q4_0", cacheTypeV: "f16" })).rejects.toMatchObject({
      code: "CACHE_TYPE_UNSUPPORTED",
    });
    await expect(loadTiny({ cacheTypeK: "q8_0", flashAttention: "off" })).rejects.toMatchObject({
      code: "CACHE_TYPE_UNSUPPORTED",
    });
    await expect(loadTiny({ contextSize: 2 ** 31 - 1 })).rejects.toMatchObject({
      code: "OUT_OF_MEMORY",
    });
  });

  it("works without flash attention too", async () => {
    const model = await loadTiny({ flashAttention: "off" });
    expect((await model.chat(QUESTION, GREEDY).result()).answer).toBe("It's 2.");
    await model.close();
  });
});

describe("the documented command", () => {
  it("runs on an MLA file with nothing but its own options", async () => {
    const model = await loadModel(DEFAULT_MODEL_PATH, {
      cacheTypeK: "q4_0",
      priority: "high",
      contextSize: 8192,
      threads: 1,
    });
    const options = { temperature: 0.6, minP: 0.05, seed: 3407 };
    const result = await model.complete("<｜User｜>What is 1+1?<｜Assistant｜>", options).result();
    expect(result).toMatchObject({ answer: "It's 2.", seed: 3407, finishReason: "stop" });
    expect(model.info.contextSize).toBe(8192);
    await model.close();
  });
});

describe("facts", () => {
  it("are those of the file", async () => {
    const model = await loadTiny();
    expect(model.info).toMatchObject({
      architecture: "deepseek2",
      variant: "r1",
      isMla: true,
      layers: 4,
      vocabSize: 768,
      trainContextSize: 2048,
      embeddingSize: 256,
      gpuLayers: 0,
    });
    expect(model.info.parameters).toBeGreaterThan(6_000_000);
    expect(model.info.systemInfo).toMatch(/CPU/);
    expect(model.tokenizer).toMatchObject({
      bos: 0,
      eos: 1,
      pad: 2,
      user: 3,
      assistant: 4,
      think: 5,
      endThink: 6,
      size: 768,
    });
    await model.close();
  });

  it("hold the CPU among the devices", () => {
    expect(devices().map((device) => device.type)).toContain("cpu");
    expect(
      devices().every((device) => device.name !== "" && device.totalBytes >= device.freeBytes),
    ).toBe(true);
    // This process alone holds some of it.
    const cpu = devices().find((device) => device.type === "cpu");
    expect(cpu!.freeBytes).toBeLessThan(cpu!.totalBytes);
  });
});

describe("options that change how it is loaded", () => {
  it.each([
    { loadMode: "mmap" },
    { loadMode: "none" },
    { loadMode: "mlock" },
    { loadMode: "direct" },
    { checkTensors: true },
    { repack: false },
    { gpuLayers: 7 },
    { gpuLayers: "all" },
    { devices: ["CPU"] },
    { cpuMoe: true },
    { nCpuMoe: 2 },
    { tensorOverrides: { "ffn_.*_exps": "CPU" } },
    { splitMode: "none" },
    { tensorSplit: [1] },
    { batchSize: 8, ubatchSize: 4 },
    { priority: "realtime" },
    { kvUnified: false, sequences: 2 },
    { deterministic: true, sequences: 2 },
    { prefixCache: false },
    { warmup: false },
    { poll: 0 },
    { rope: { freqBase: 10_000, scaling: "none" } },
    { contextSize: 0 },
    { threads: 2, threadsBatch: 1 },
  ] as const)("%o answers the question", async (options) => {
    const model = await loadTiny(options);
    const { answer } = await model.chat(QUESTION, GREEDY).result();
    expect(answer).toBe("It's 2.");
    await model.close();
  });

  it("a device that is not there, or a pattern that is none, is a typed error", async () => {
    await expect(loadTiny({ devices: ["CUDA7"] })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await expect(loadTiny({ tensorOverrides: { "(": "CPU" } })).rejects.toMatchObject({
      name: "R1Error",
    });
    await expect(loadTiny({ tensorOverrides: { x: "NOWHERE" } })).rejects.toMatchObject({
      name: "R1Error",
    });
  });
});

describe("priority", () => {
  /** Threads of this process under a real-time policy. */
  const realTimeThreads = (): number =>
    readdirSync("/proc/self/task").filter((task) => {
      const fields = readFileSync(`/proc/self/task/${task}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      // policy is field 41, counted from 1; the first two are cut off. 1 is SCHED_FIFO.
      return fields[38] === "1";
    }).length;

  it.each(["medium", "high", "realtime"] as const)(
    "%s is what the engine's thread has, where info.priority says so",
    async (priority) => {
      expect(realTimeThreads()).toBe(0);
      const model = await loadTiny({ priority });
      expect(model.info.priority).toBeOneOf([priority, "normal"]);
      expect(realTimeThreads()).toBe(model.info.priority === "normal" ? 0 : 1);
      await model.close();
      expect(realTimeThreads()).toBe(0);
    },
  );

  it("stays normal with a thread on every core", async () => {
    const model = await loadTiny({ priority: "high", threads: cpus().length });
    expect(model.info.priority).toBe("normal");
    await model.close();
  });
});

describe("overrides of metadata", () => {
  it("are read instead of the file's values", async () => {
    const model = await loadTiny({
      metadataOverrides: {
        "deepseek2.context_length": 512,
        "deepseek2.rope.freq_base": { kind: "float", value: 10_000 },
      },
    });
    expect(model.info.trainContextSize).toBe(512);
    await model.close();
  });

  it.each([
    ["deepseek2.expert_used_count", 0],
    ["deepseek2.expert_used_count", 999],
    ["deepseek2.expert_group_count", 3],
    ["deepseek2.attention.head_count", 0],
    ["deepseek2.attention.head_count", 2 ** 32 + 4],
    ["deepseek2.block_count", -1],
    ["deepseek2.attention.key_length_mla", 0],
    ["deepseek2.rope.dimension_count", 7],
    ["deepseek2.attention.layer_norm_rms_epsilon", { kind: "float", value: 1e300 }],
    ["tokenizer.ggml.bos_token_id", 5_000_000],
  ] as const)("that would end the process are refused: %s is %o", async (key, value) => {
    const error = await loadTiny({ metadataOverrides: { [key]: value } }).then(
      () => "it loaded",
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      code: "INVALID_ARGUMENT",
      details: { option: "metadataOverrides" },
      message: expect.stringContaining(key.split(".").at(-1) ?? "") as unknown,
    });
  });

  it.each([
    ["deepseek2.attention.head_count", "4", /the kind int/],
    ["deepseek2.rope.freq_base", 10_000, /the kind float/],
    ["tokenizer.ggml.add_bos_token", 1, /the kind bool/],
    ["tokenizer.ggml.tokens", "x", /an array/],
  ])(
    "of another kind than the file's value, which llama.cpp would pass over, are refused: %s is %o",
    async (key, value, message) => {
      await expect(loadTiny({ metadataOverrides: { [key]: value } })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringMatching(message) as unknown,
      });
    },
  );

  it("leave a bad file its own error", () =>
    withFolder(async (folder) => {
      const path = patchedTiny(folder, "deepseek2.block_count", "deepseek2.block_cuont");
      await expect(
        loadModel(path, { metadataOverrides: { "general.name": "x" } }),
      ).rejects.toMatchObject({ code: "GGUF_INVALID" });
      const model = await loadModel(path, {
        threads: 1,
        contextSize: 256,
        metadataOverrides: { "deepseek2.block_count": 4 },
      });
      expect(model.info.layers).toBe(4);
      await model.close();
    }));
});

describe("a file that cannot be loaded", () => {
  it("is refused with its own error", () =>
    withFolder(async (folder) => {
      const write = (name: string, bytes: string): string => {
        writeFileSync(join(folder, name), bytes);
        return join(folder, name);
      };
      mkdirSync(join(folder, "dir"));
      await expect(loadModel(join(folder, "none.gguf"))).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
      });
      await expect(loadModel(join(folder, "dir"))).rejects.toMatchObject({
        code: "FILE_IS_DIRECTORY",
      });
      await expect(loadModel(write("empty.gguf", ""))).rejects.toMatchObject({
        code: "FILE_EMPTY",
      });
      await expect(loadModel(write("text.gguf", "hello, this is no model"))).rejects.toMatchObject({
        code: "NOT_GGUF",
      });
      await expect(
        loadModel(patchedTiny(folder, "deepseek2.block_count", "deepseek2.block_cuont")),
      ).rejects.toMatchObject({ code: "GGUF_INVALID" });
      await expect(
        loadModel(patchedTiny(folder, "general.architecture", "general.architectuer")),
      ).rejects.toMatchObject({ name: "R1Error" });
    }));
});

describe("the logger", () => {
  it("gets llama.cpp's lines, whole ones with a level, and nothing after close()", async () => {
    const lines: { level: string; text: string }[] = [];
    const model = await loadTiny({ logger: (entry) => lines.push(entry) });
    await model.complete("x", { maxTokens: 1 }).result();
    await model.close();
    const { length } = lines;
    expect(length).toBeGreaterThan(20);
    for (const { level, text } of lines) {
      expect(["debug", "info", "warn", "error"]).toContain(level);
      expect(text).not.toMatch(/\n/);
    }
    expect(lines.some(({ text }) => text.includes("llama_kv_cache"))).toBe(true);
    const other = await loadTiny();
    await other.close();
    expect(lines).toHaveLength(length);
  });
});

describe("the event loop", () => {
  it("turns while a model loads", async () => {
    await loadTiny().then((model) => model.close());
    const longest: number[] = [];
    for (let i = 0; i < 7 || (i < 50 && Math.min(...longest) >= 20); i++) {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const model = await loadTiny({ checkTensors: true });
      delay.disable();
      longest.push(delay.max / 1e6);
      await model.close();
    }
    // The bar on an idle machine is 20 ms. Work of our own would hold up every load; other
    // processes only now and then.
    expect(Math.min(...longest)).toBeLessThan(20);
  });

  it("that is blocked does not hold up decoding", async () => {
    const model = await loadTiny();
    const run = model.complete("x", {
      ...GREEDY,
      ignoreEos: true,
      loopGuard: false,
      maxTokens: 200,
    });
    const end = performance.now() + 120_000;
    while (model.stats().completionTokens === 0 && performance.now() < end);
    // All of it was generated in this one turn of the event loop, which nothing has left.
    expect(model.stats()).toMatchObject({ running: 0, completionTokens: 200 });
    expect((await run.result()).tokens).toHaveLength(200);
    await model.close();
  });
});
