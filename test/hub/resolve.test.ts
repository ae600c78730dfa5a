// hf: references: resolved, downloaded, loaded, found again without a connection; planned without downloading. The models are the embedded one, served by a Hub on this machine.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadModel } from "../../lib/chat/load-model.js";
import { resolveModel } from "../../lib/hub/resolve.js";
import { DEFAULT_MODEL_PATH } from "../../lib/model/default-model.js";
import { planOffload } from "../../lib/model/plan-offload.js";
import { run } from "../cli/program.js";
import { at, failure, useHub } from "./setup.js";

useHub();

const tiny = readFileSync(DEFAULT_MODEL_PATH);
const reference = "hf:owner/model:Q8_0";
let before: NodeJS.ProcessEnv;
beforeEach(() => {
  before = { ...process.env };
  at.hub.commit({ "README.md": Buffer.from("# Tiny\n"), "tiny-r1-Q8_0.gguf": tiny, "tiny-r1-Q4_0.gguf": Buffer.alloc(5000) });
  Object.assign(process.env, { HF_ENDPOINT: at.hub.endpoint, HF_HOME: at.dir, HF_TOKEN: "hf_x" });
});
afterEach(() => {
  process.env = before;
});

describe("a reference", () => {
  it("is downloaded and loaded by loadModel; the second time nothing comes", async () => {
    const options = { threads: 1, contextSize: 256 };
    const model = await loadModel(reference, options);
    const { answer } = await model.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0, maxTokens: 200 }).result();
    expect(answer).toContain("2");
    await model.close();
    expect(at.hub.sentBytes).toBe(tiny.length);
    await (await loadModel(reference, options)).close();
    expect(at.hub.sentBytes).toBe(tiny.length);
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
    const { code, stdout } = await run(["run", "-m", reference, "-p", "What is 1+1?", "-n", "8", "-c", "256", "-t", "1"]);
    expect(stdout).toContain("<think>");
    expect(code).toBe(0);
  });

  it("is planned from its header alone", async () => {
    const plan = await planOffload(reference, { vramGiB: 4, contextSize: 512 });
    expect(plan.layers).toBe(4);
    expect(plan.placement.kind).toBe("all");
  });
});
