// loadModel over a fake addon: what native code is given, progress, abort, logging, and what
// happens when something fails on the way.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { NativeLogEntry } from "../../lib/binding/native.js";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { FakeAddon } from "../fixtures/fake-addon.js";

const state = vi.hoisted((): { addon: unknown } => ({ addon: undefined }));
vi.mock("../../lib/binding/load.js", () => ({
  native: () => state.addon,
  initialize: () => undefined,
  initializeInBackground: async () => undefined,
  addonFolder: () => "/nowhere",
}));
const { loadModel } = await import("../../lib/model/load-model.js");
const { planOffload } = await import("../../lib/plan/plan-offload.js");

/** For what takes moments: files are looked at first. */
const WAIT = { timeout: 30_000 };

let addon: FakeAddon;
beforeEach(() => {
  state.addon = addon = new FakeAddon();
});

describe("loadModel", () => {
  it("takes no path, a path, a file: URL, or options alone", async () => {
    const file = new URL("../../models/tiny-r1.gguf", import.meta.url);
    for (const args of [
      [],
      [undefined, { threads: 1 }],
      [file],
      [file.pathname, { threads: 1 }],
      [{ threads: 1 }],
    ] as const) {
      const model = await loadModel(...(args as unknown as []));
      expect(model.info.path).toMatch(/models\/tiny-r1\.gguf$/);
      expect(addon.modelConfig?.paths).toEqual([model.info.path]);
      await model.close();
    }
  });

  it("gives native code complete objects", async () => {
    const model = await loadModel({
      cacheTypeK: "q4_0",
      priority: "high",
      gpuLayers: 3,
      metadataOverrides: { a: 1 },
      sequences: 2,
      contextSize: 4096,
    });
    expect(addon.modelConfig).toMatchObject({
      gpuLayers: 3,
      vocabOnly: false,
      repack: true,
      mla: true,
      metadataOverrides: [{ key: "a", kind: "int", value: 1 }],
    });
    expect(addon.engineConfig).toMatchObject({
      contextSize: 4096,
      cacheTypeK: "q4_0",
      cacheTypeV: "q4_0",
      flashAttention: "on",
      priority: "high",
      sequences: 2,
    });
    expect(model.info).toMatchObject({
      cache: { typeK: "q4_0", typeV: "q4_0", bytes: 4096 },
      variant: "r1",
      isMla: true,
      devices: ["CPU"],
      systemInfo: "FAKE = 1",
      contextSize: 4096,
    });
    expect(Object.isFrozen(model.info)).toBe(true);
    await model.close();
  });

  it.each([
    ["/nowhere/x.gguf", "FILE_NOT_FOUND"],
    [new URL("..", import.meta.url), "FILE_IS_DIRECTORY"],
    [new URL(import.meta.url), "NOT_GGUF"],
    ["", "INVALID_ARGUMENT"],
    [new URL("https://example.com/x.gguf"), "INVALID_ARGUMENT"],
  ])("rejects %s with %s before native code is called", async (path, code) => {
    await expect(loadModel(path)).rejects.toMatchObject({ code });
    expect(addon.modelConfig).toBeUndefined();
  });

  it("rejects bad options before it looks at the file", async () => {
    await expect(loadModel("/nowhere/x.gguf", { ctxSize: 1 } as object)).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
    await expect(loadModel({ threads: 1 } as never, { threads: 1 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  it("refuses null, which a setting that is missing may be, rather than load the embedded model", async () => {
    await expect(loadModel(null as never)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      details: { option: "path" },
    });
    await expect(loadModel(null as never, { threads: 1 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(addon.modelConfig).toBeUndefined();
  });

  it("refuses an absurd context before native code is called", async () => {
    await expect(loadModel({ contextSize: 2 ** 31 - 1, cacheTypeK: "f32" })).rejects.toMatchObject({
      code: "OUT_OF_MEMORY",
    });
    expect(addon.modelConfig).toBeUndefined();
  });

  it("passes native codes on, with the caller's stack, and closes what was opened", async () => {
    addon.loadError = Object.assign(new Error("no such tensor"), { code: "MODEL_LOAD_FAILED" });
    await expect(loadModel()).rejects.toMatchObject({
      name: "R1Error",
      code: "MODEL_LOAD_FAILED",
      message: "no such tensor",
    });
    addon.loadError = undefined;
    addon.createEngine = () =>
      Promise.reject(Object.assign(new Error("too big"), { code: "OUT_OF_MEMORY" }));
    await expect(loadModel()).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
    expect(addon.modelClosed).toBe(1);
  });
});

describe("a draft model with gpuLayers auto", () => {
  const options = { contextSize: 512, draftModel: DEFAULT_MODEL_PATH };
  /** What the model and its draft take of the GPU, with the margin; the draft's cache is f16. */
  const bytesOnGpu = async (cacheTypeK: "f16" | "q4_0"): Promise<number> => {
    const [gpu] = (
      await planOffload(DEFAULT_MODEL_PATH, { vramGiB: 4, contextSize: 512, cacheTypeK })
    ).placement.places;
    return (gpu?.weightsBytes ?? 0) + (gpu?.cacheBytes ?? 0) + (gpu?.computeBytes ?? 0);
  };
  const layers = async (gpuBytes: number): Promise<(number | undefined)[]> => {
    addon.gpuBytes = gpuBytes;
    addon.modelConfigs = [];
    await (await loadModel({ ...options, cacheTypeK: "q4_0" })).close();
    return addon.modelConfigs.map(({ gpuLayers }) => gpuLayers);
  };

  it("is planned for what the model leaves of the GPU", async () => {
    const [model, draft] = [2 ** 30 + (await bytesOnGpu("q4_0")), await bytesOnGpu("f16")];
    expect(await layers(model + draft)).toEqual([-1, -1]);
    expect(await layers(model + draft / 4)).toEqual([-1, 0]);
    expect(await layers(0)).toEqual([0, 0]);
  });

  it("has its own tensors placed by overrides, not the model's", async () => {
    addon.gpuBytes = 8 * 2 ** 30;
    await (await loadModel({ ...options, tensorOverrides: { "blk\\.0\\.": "CPU" } })).close();
    const [model, draft] = addon.modelConfigs.map(({ tensorOverrides }) => tensorOverrides);
    expect(model).not.toEqual([]);
    expect(model?.every(({ pattern }) => pattern.startsWith("^blk"))).toBe(true);
    expect(draft).toEqual([]);
  });
});

describe("progress", () => {
  it("rises from 0 to 1", async () => {
    const seen: number[] = [];
    const model = await loadModel({ onProgress: (value) => seen.push(value) });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    await model.close();
  });

  it("rejects the load with what the callback throws, untouched, and stops the native work", async () => {
    const mine = { mine: true };
    const options = {
      onProgress: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- whatever a user throws comes back as it is
        throw mine;
      },
    };
    await expect(loadModel(options)).rejects.toBe(mine);
    expect(addon.loadCancelled).toBe(1);
  });

  it("rejects also when the last call throws", async () => {
    const onProgress = (value: number): void => {
      if (value === 1) throw new Error("at the end");
    };
    await expect(loadModel({ onProgress })).rejects.toThrow("at the end");
    expect(addon.engineClosed).toBe(1);
    expect(addon.modelClosed).toBe(1);
  });
});

describe("the signal of a load", () => {
  it("that is aborted already rejects with its reason, and nothing is opened", async () => {
    await expect(loadModel({ signal: AbortSignal.abort("no") })).rejects.toBe("no");
    expect(addon.modelConfig).toBeUndefined();
  });

  it("cancels native code, rejects within 250 ms although it does not react, and frees a late result", async () => {
    let release = (): void => undefined;
    addon.holdLoad = new Promise((resolve) => (release = resolve));
    const controller = new AbortController();
    const reason = new Error("mine");
    const loading = loadModel({ signal: controller.signal });
    // Once native code was reached: before that there is nothing to cancel.
    await vi.waitFor(() => expect(addon.modelConfig).toBeDefined(), WAIT);
    const aborted = performance.now();
    controller.abort(reason);
    // Native code is held until release(): only the abort can end this.
    await expect(loading).rejects.toBe(reason);
    expect(performance.now() - aborted).toBeLessThan(2500);
    expect(addon.loadCancelled).toBe(1);
    release();
    await vi.waitFor(() => expect(addon.modelClosed).toBe(1), WAIT);
  });

  it("stops the warm-up of an engine, rejects although that does not react, and frees what comes late", async () => {
    let release = (): void => undefined;
    addon.holdEngine = new Promise((resolve) => (release = resolve));
    const controller = new AbortController();
    const reason = new Error("mine");
    const loading = loadModel({ signal: controller.signal });
    await vi.waitFor(() => expect(addon.engineConfig).toBeDefined(), WAIT);
    expect(addon.loadCancelled).toBe(0);
    controller.abort(reason);
    await expect(loading).rejects.toBe(reason);
    expect(addon.loadCancelled).toBe(1);
    release();
    await vi.waitFor(() => expect([addon.engineClosed, addon.modelClosed]).toEqual([1, 1]), WAIT);
  });

  it("does nothing any more once the model is there", async () => {
    const controller = new AbortController();
    const model = await loadModel({ signal: controller.signal });
    controller.abort();
    expect((await model.complete("x").result()).finishReason).toBe("stop");
    await model.close();
  });
});

describe("the logger", () => {
  const lines: NativeLogEntry[] = [
    { level: "info", text: "a" },
    { level: "warn", text: "b" },
  ];

  it("gets lines from the load until the model is closed, as a function or by level", async () => {
    const all: NativeLogEntry[] = [];
    const warnings: string[] = [];
    const first = await loadModel({ logger: (entry) => all.push(entry) });
    const second = await loadModel({ logger: { warn: (text) => warnings.push(text) } });
    addon.logSink?.(lines);
    await first.close();
    addon.logSink?.(lines);
    expect(all).toEqual(lines);
    expect(warnings).toEqual(["b", "b"]);
    await second.close();
    expect(addon.logSink).toBeNull();
  });

  it("that throws while loading rejects the load; later it is dropped with a warning", async () => {
    const mine = new Error("mine");
    const throwing = (): void => {
      throw mine;
    };
    let release = (): void => undefined;
    addon.holdLoad = new Promise((resolve) => (release = resolve));
    const loading = loadModel({ logger: throwing });
    await vi.waitFor(() => expect(addon.modelConfig).toBeDefined(), WAIT);
    addon.logSink?.(lines);
    await expect(loading).rejects.toBe(mine);
    release();

    addon.holdLoad = undefined;
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const model = await loadModel({ logger: throwing });
    addon.logSink?.(lines);
    expect(warned).toHaveBeenCalledOnce();
    expect(addon.logSink).toBeNull();
    warned.mockRestore();
    await model.close();
  });
});

describe("close()", () => {
  it("may be called again and again, closes the engine before the weights, and leaves info readable", async () => {
    const model = await loadModel();
    const first = model.close();
    expect(model.close()).toBe(first);
    await model[Symbol.asyncDispose]();
    expect([addon.engineClosed, addon.modelClosed]).toEqual([1, 1]);
    expect(model.isClosed).toBe(true);
    expect(model.info.architecture).toBe("deepseek2");
    const calls = [
      () => model.complete("x"),
      () => model.chat([]),
      () => model.session(),
      () => model.formatChat([]),
      () => model.stats(),
      () => model.tokenizer.encode("x"),
      () => model.tokenizer.decode([1]),
    ];
    for (const call of calls) expect(call).toThrow(expect.objectContaining({ code: "DISPOSED" }));
  });
});
