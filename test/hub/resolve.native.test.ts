// hf: references: resolved, downloaded, loaded, found again without a connection; planned without
// downloading. The models are the embedded one, served by a Hub on this machine.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadModel } from "../../lib/model/load-model.js";
import { diagnose } from "../../lib/doctor/doctor.js";
import type { DownloadProgress } from "../../lib/hub/meter.js";
import { inspectGguf } from "../../lib/gguf/inspect.js";
import { resolveModel } from "../../lib/hub/resolve.js";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { planOffload } from "../../lib/plan/plan-offload.js";
import { run } from "../cli/program.js";
import { at, failure, useHub } from "./setup.js";

useHub();

const tiny = readFileSync(DEFAULT_MODEL_PATH);
const reference = "hf:owner/model:Q8_0";
let before: NodeJS.ProcessEnv;
beforeEach(() => {
  before = { ...process.env };
  at.hub.commit({
    "README.md": Buffer.from("# Tiny\n"),
    "tiny-r1-Q8_0.gguf": tiny,
    "tiny-r1-Q4_0.gguf": Buffer.alloc(5000),
  });
  Object.assign(process.env, { HF_ENDPOINT: at.hub.endpoint, HF_HOME: at.dir, HF_TOKEN: "hf_x" });
});
afterEach(() => {
  process.env = before;
});

describe("a reference", () => {
  it("is downloaded and loaded by loadModel; the second time nothing comes", async () => {
    const options = { threads: 1, contextSize: 256 };
    const model = await loadModel(reference, options);
    const { answer } = await model
      .chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0, maxTokens: 200 })
      .result();
    expect(answer).toContain("2");
    await model.close();
    expect(at.hub.sentBytes).toBe(tiny.length);
    await (await loadModel(reference, options)).close();
    expect(at.hub.sentBytes).toBe(tiny.length);
  });

  it("tells how far its download is, before the load begins, and ends with what the callback throws", async () => {
    const seen: DownloadProgress[] = [];
    const order: string[] = [];
    const options = {
      threads: 1,
      contextSize: 256,
      onProgress: () => order.push("load"),
      onDownload: () => order.push("download"),
    };
    const model = await loadModel(reference, {
      ...options,
      onDownload: (progress) => seen.push(progress),
    });
    await model.close();
    expect(seen.at(-1)).toMatchObject({
      phase: "fetching",
      receivedBytes: tiny.length,
      totalBytes: tiny.length,
      fetchedBytes: tiny.length,
      files: 1,
    });
    order.length = 0;
    await (await loadModel(reference, options)).close();
    expect(order.indexOf("load")).toBeGreaterThan(order.lastIndexOf("download"));
    const mine = new Error("mine");
    const thrown = loadModel(reference, {
      onDownload: () => {
        throw mine;
      },
    });
    await expect(thrown).rejects.toBe(mine);
    order.length = 0;
    await (await loadModel({ ...options, contextSize: 128 })).close();
    expect(order).not.toContain("download");
  });

  it("is found in the cache when nobody can be reached, and when that is forbidden", async () => {
    const path = await resolveModel(reference);
    at.hub.apiFault = () => ({ status: 500 });
    expect(await resolveModel(reference, { retries: 0 })).toBe(path);
    process.env["HF_HUB_OFFLINE"] = "1";
    const asked = at.hub.apiCount;
    expect(await resolveModel(reference)).toBe(path);
    expect((await failure(resolveModel("hf:owner/model:Q4_0"))).code).toBe("FILE_NOT_FOUND");
    expect(at.hub.apiCount).toBe(asked);
  });

  it("of a quant that is not there says which are", async () => {
    const error = await failure(loadModel("hf:owner/model:Q5_K_M"));
    expect(error.code).toBe("FILE_NOT_FOUND");
    expect(error.message).toContain("Q4_0, Q8_0");
  });

  it("that is given up rejects with the signal's reason", async () => {
    at.hub.fault = () => ({ kind: "slow", bytesPerTick: 1024, tickMs: 10 });
    const reason = new Error("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 300);
    await expect(loadModel(reference, { signal: controller.signal })).rejects.toBe(reason);
  });

  it("is taken by the program where a model is named", async () => {
    const { code, stdout } = await run([
      "run",
      "-m",
      reference,
      "-p",
      "What is 1+1?",
      "-n",
      "8",
      "-c",
      "256",
      "-t",
      "1",
    ]);
    expect(stdout).toContain("<think>");
    expect(code).toBe(0);
  });

  it("is inspected and diagnosed from its header alone, with the user's token, which goes no further than the Hub", async () => {
    at.hub.token = "hf_x";
    const found = await inspectGguf(reference);
    expect(found).toMatchObject({
      isRemote: true,
      name: "tiny-r1",
      variant: "r1",
      sizeBytes: tiny.length,
      problems: [],
    });
    expect((await diagnose(reference)).variant).toBe("r1");
    expect(at.hub.sentBytes).toBeLessThan(tiny.length);
    expect(at.hub.leaked).toEqual([]);
    const { code, stdout } = await run(["inspect", reference]);
    expect([code, stdout.includes("deepseek2")]).toEqual([0, true]);
    at.hub.token = "hf_other";
    expect((await failure(inspectGguf(reference))).code).toBe("FILE_UNREADABLE");
  });

  it("is planned from its header alone", async () => {
    const plan = await planOffload(reference, { vramGiB: 4, contextSize: 512 });
    expect(plan.layers).toBe(4);
    expect(plan.placement.kind).toBe("all");
  });
});
