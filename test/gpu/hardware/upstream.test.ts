// complete() on the GPU gives the ids that upstream's llama-completion gives on the same GPU, of
// the same build. For backends that are built in.
import { afterAll, describe, expect, it } from "vitest";
import { GREEDY, TINY_R1, compare, differences } from "../../parity/compare.js";
import { Oracle } from "../../parity/oracle.js";
import { PROMPTS } from "../../parity/prompts.js";
import { DEVICE, loadOnGpu } from "../tools.js";

const oracle = new Oracle();
afterAll(() => oracle.close());

describe.each(["f16", "q4_0"] as const)("with K and V in %s", (type) => {
  it("every greedy id equals upstream's", async () => {
    const model = await loadOnGpu({
      contextSize: 8192,
      gpuLayers: "all",
      cacheTypeK: type,
      prefixCache: false,
      maxDraft: 0,
    });
    expect(model.info.devices).toEqual([DEVICE, "CPU"]);
    const flags = ["-c", "8192", "-t", "1", "-tb", "1", "-ctk", type, "-ctv", type, "-ngl", "99"];
    const found = await compare(oracle, { model, file: TINY_R1, flags }, PROMPTS, GREEDY, 400);
    await model.close();
    const ids = found.reduce((sum, { tokens }) => sum + tokens.length, 0);
    console.log(
      `${DEVICE}, ${type}: ${found.length - differences(found).length} of ${found.length} runs equal to upstream's in every id (${ids} ids)`,
    );
    expect(differences(found)).toEqual([]);
  });
});
