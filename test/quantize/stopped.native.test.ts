// A stopped child of quantize is found out, and a pattern over tensor names takes linear time.
// Starts children of the test process; needs dist/ and the addon.
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { quantize } from "../../dist/files.js";
import { childrenOf, isAlive } from "../isolation/processes.js";
import { withFolder } from "../fixtures/tiny.js";
import { fileURLToPath } from "node:url";

const F16 = fileURLToPath(new URL("../../models/tiny-r1-f16.gguf", import.meta.url));

it(
  "quantize ends a child that was stopped, and says so",
  () =>
    withFolder(async (folder) => {
      const out = join(folder, "out.gguf");
      const stopped: number[] = [];
      const look = setInterval(() => {
        for (const id of childrenOf(process.pid, "quantize-child"))
          if (!stopped.includes(id)) {
            process.kill(id, "SIGSTOP");
            stopped.push(id);
          }
      }, 1);
      await expect(quantize(F16, out, { type: "Q4_0" })).rejects.toMatchObject({
        code: "CHILD_CRASHED",
        message: expect.stringContaining("SIGSTOP") as string,
      });
      clearInterval(look);
      await vi.waitFor(() => expect(stopped.filter(isAlive)).toEqual([]), 30_000);
    }),
  60_000,
);

it("quantize matches a pattern that backtracks in linear time, and as llama.cpp means it", () =>
  withFolder(async (folder) => {
    const { tensors } = await quantize(F16, join(folder, "out.gguf"), {
      type: "Q8_0",
      tensorTypes: [
        { pattern: "^(([a-z_.0-9])+)+!$", type: "q4_0" },
        { pattern: "ffn_(up|down)", type: "q5_0" },
        { pattern: "^blk\\.0\\.", type: "q4_0" },
      ],
      dryRun: true,
    });
    const typeOf = (part: RegExp): string[] => [
      ...new Set(tensors.filter(({ name }) => part.test(name)).map(({ to }) => to)),
    ];
    expect(typeOf(/ffn_(up|down).*weight/)).toContain("q5_0");
    expect(typeOf(/ffn_(up|down).*weight/)).not.toContain("q4_0");
    expect(typeOf(/^blk\.0\.attn_output/)).toEqual(["q4_0"]);
  }));

it("quantize refuses a pattern that has no linear time", async () => {
  await expect(
    quantize(F16, "/nowhere/out.gguf", {
      type: "Q8_0",
      tensorTypes: [{ pattern: "(a)\\1", type: "q4_0" }],
    }),
  ).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});
