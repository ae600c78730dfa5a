// `-hf` from an empty cache to the answer, and Ctrl-C in the middle of what takes long: the program
// ends with 130, and leaves no file that looks whole. Uses dist/.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { onTerminal } from "../cli/on-terminal.js";
import { run, start } from "../cli/program.js";
import { withFolder } from "../fixtures/tiny.js";
import { at, useHub } from "./setup.js";

useHub();

const tiny = readFileSync(DEFAULT_MODEL_PATH);
const CTRL_C = "\u0003";
const SHOWS_CURSOR = "\u001b[?25h";
const env = (): Record<string, string> => ({ HF_ENDPOINT: at.hub.endpoint, HF_HOME: at.dir });
const args = ["-hf", "owner/model:Q8_0", "-t", "1", "-c", "256", "--temp", "0"];
const blobs = (): string[] => readdirSync(join(at.dir, "hub", "models--owner--model", "blobs"));

describe("-hf", () => {
  it.each([
    ["run", ["run", ...args, "What is 1+1?"]],
    ["chat", ["chat", ...args, "What is 1+1?"]],
  ])("downloads the model and answers: %s", async (_command, words) => {
    at.hub.commit({ "tiny-r1-Q8_0.gguf": tiny, "tiny-r1-Q4_0.gguf": tiny.subarray(0, 9000) });
    const first = await run(words, { env: env() });
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain("</think>");
    const sent = at.hub.sentBytes;
    expect(sent).toBe(tiny.length);
    const second = await run(words, { env: env() });
    expect(second.stdout).toBe(first.stdout);
    expect(at.hub.sentBytes).toBe(sent);
  });

  it.each(["run", "chat"])(
    "ends with 130 on Ctrl-C while %s downloads, and goes on later",
    async (command) => {
      at.hub.commit({ "tiny-r1-Q8_0.gguf": tiny });
      at.hub.fault = () => ({ kind: "slow", bytesPerTick: 50_000, tickMs: 10, crawlAfter: 3e6 });
      const { type, until, shown, ended } = onTerminal([command, ...args, "What is 1+1?"], env());
      await until(/[1-9]\d* % /);
      type(CTRL_C);
      expect(await ended, shown()).toBe(130);
      expect(shown().lastIndexOf(SHOWS_CURSOR)).toBeGreaterThan(shown().lastIndexOf("\u001b[?25l"));
      expect(blobs().filter((name) => !name.includes(".partial"))).toEqual([]);
      expect(blobs().some((name) => name.endsWith(".lock"))).toBe(false);
      at.hub.fault = undefined;
      const again = await run([command, ...args, "What is 1+1?"], { env: env() });
      expect(again.code, again.stderr).toBe(0);
      expect(again.stdout).toContain("</think>");
    },
  );
});

describe("Ctrl-C", () => {
  it("ends quantizing with 130, and leaves nothing behind", async () => {
    mkdirSync(at.dir, { recursive: true });
    await withFolder(async (folder) => {
      const source = join(folder, "random-f16.gguf");
      await SHAPES["deepseek2-256"](source);
      const flags = ["Q4_K_M", "--verbose", "--threads", "1"];
      const out = join(at.dir, "out.gguf");
      const { child, stderr, ended } = start(["quantize", source, out, ...flags]);
      child.stdin.end();
      await stderr.until("\n");
      child.kill("SIGINT");
      expect(await ended).toMatchObject({ code: 130, signal: null });
      expect(readdirSync(at.dir)).toEqual([]);
    });
  });
});
