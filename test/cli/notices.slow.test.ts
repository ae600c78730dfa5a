// Where silence would mislead, the program says a word: which model answers, where it computes, why
// it waits, what cannot be written. Uses dist/.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { demoNotice, modelFor, placeText } from "../../lib/cli/banner.js";
import { barLayout, shortened } from "../../lib/cli/download-bar.js";

import type { ModelInfo } from "../../lib/index.js";
import { commandOnTerminal, onTerminal } from "./on-terminal.js";
import { program, run, tinyModel } from "./program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-notices-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const short = ["-n", "4", "-t", "1", "--temp", "0"];
const GIB = 2 ** 30;

describe("the demo model", () => {
  it.each([
    ["run", ["What is 1+1?", ...short], "r1-native -hf unsloth/"],
    ["chat", ["chat", "What is 1+1?", ...short], "r1-native chat -hf unsloth/"],
  ])("says on a terminal that it is one: %s", async (_name, args, command) => {
    const { until, type, ended } = onTerminal(args);
    const at = await until("Answering with tiny-r1, a demo model of 7 MB");
    await until(command, at);
    await until(/<think>|Thinking \(/, at);
    type("\u0004");
    expect(await ended).toBe(0);
  });

  it("says nothing in a pipe, nor where it was named", async () => {
    expect(await run(["What is 1+1?", ...short])).toMatchObject({ code: 0, stderr: "" });
    const named = onTerminal(["-m", tinyModel, "What is 1+1?", ...short]);
    expect(await named.ended).toBe(0);
    expect(named.shown()).not.toContain("demo model");
  });

  it("names the largest model that the memory holds, and the smallest where it holds none", () => {
    const named = [0, 2, 8, 16, 32, 64, 256].map((gib) => modelFor(gib * GIB).reference);
    expect(named).toEqual([
      "unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M",
      "unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M",
      "unsloth/DeepSeek-R1-Distill-Llama-8B-GGUF:Q4_K_M",
      "unsloth/DeepSeek-R1-Distill-Qwen-14B-GGUF:Q4_K_M",
      "unsloth/DeepSeek-R1-Distill-Qwen-32B-GGUF:Q4_K_M",
      "unsloth/DeepSeek-R1-Distill-Llama-70B-GGUF:Q4_K_M",
      "unsloth/DeepSeek-R1-GGUF:UD-IQ1_M",
    ]);
    expect(demoNotice("run", 16 * GIB)).toContain("16.0 GiB of memory (8.37 GiB to download)");
  });
});

describe("where it computes", () => {
  it("is the first word of the timings", async () => {
    const { stderr } = await run(["What is 1+1?", ...short, "--show-timings"]);
    expect(stderr).toMatch(/^\n?(CPU|\S+ \d+\/\d+ layers) \| prompt /);
    const info = {
      devices: ["CUDA0", "CUDA1", "CPU"],
      gpuLayers: 7,
      layers: 61,
    } as unknown as ModelInfo;
    expect(placeText(info)).toBe("CUDA0+CUDA1 7/62 layers");
    expect(placeText({ ...info, gpuLayers: -1 })).toBe("CUDA0+CUDA1 62/62 layers");
    expect(placeText({ ...info, devices: ["CPU"] })).toBe("CPU");
  });

  it("is said when layers were asked onto a GPU and none of the devices is one, once", async () => {
    for (const args of [
      ["-ngl", "99"],
      ["-ngl", "all"],
      ["-ngl", "3", "--isolation", "process"],
    ]) {
      const { code, stderr } = await run([...args, "-dev", "CPU", "What is 1+1?", ...short]);
      expect(code).toBe(0);
      expect(stderr).toMatch(
        /^warning: --n-gpu-layers is \w+, but [^\n]*all layers stay on the CPU[^\n]*\n$/,
      );
    }
    for (const args of [
      ["-ngl", "0"],
      ["-ngl", "auto"],
    ])
      expect(await run([...args, "-dev", "CPU", "hi", ...short])).toMatchObject({ stderr: "" });
  });

  it("a --backend-dir with nothing in it is said", async () => {
    for (const args of [
      ["hi", ...short],
      ["devices"],
      ["hi", ...short, "--isolation", "process"],
    ]) {
      const { code, stderr } = await run([...args, "--backend-dir", folder]);
      expect(code).toBe(0);
      expect(stderr).toMatch(/^warning: --backend-dir is [^\n]* no backend library in it[^\n]*\n$/);
    }
  });
});

describe("a Hub that refuses connections", () => {
  it.each([
    ["run", ["-hf", "owner/name:Q4_K_M", "hi"]],
    ["chat", ["chat", "-m", "hf:owner/name:Q4_K_M"]],
    ["a draft model", ["-hfd", "owner/name:Q4_K_M", "hi"]],
    ["plan", ["plan", "hf:owner/name:Q4_K_M", "--vram", "8"]],
    ["inspect", ["inspect", "hf:owner/name:Q4_K_M"]],
    ["doctor", ["doctor", "hf:owner/name:Q4_K_M"]],
  ])("is announced on a terminal, and then is an error: %s", async (_name, args) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const env = { HF_ENDPOINT: `http://127.0.0.1:${port}`, HF_HOME: folder, NO_PROXY: "*" };
    const { until, ended } = onTerminal(args, env);
    const at = await until(/cannot reach 127\.0\.0\.1[^]*retrying in \d+ s, attempt 2 of 3/);
    await until("NETWORK_FAILED", at);
    expect(await ended).toBe(1);
  });

  it.each([["plan", "x.gguf"], ["inspect", "x.gguf"], ["doctor", "x.gguf"], ["hi"], ["chat"]])(
    "an address that is no proxy's is refused, without its password: %s",
    async (...args) => {
      const { code, stderr } = await run([...args, "--proxy", "socks5://ann:secret@host"]);
      expect(code).toBe(2);
      expect(stderr).toContain("for --proxy");
      expect(stderr).not.toContain("secret");
    },
  );
});

describe("standard output on a full disk", () => {
  const cases = [
    ["hi", ...short],
    ["--version"],
    ["quants"],
    ["devices", "--json"],
    ["--help"],
    ["chat", "hi", ...short],
  ];
  it.skipIf(!existsSync("/dev/full")).each(cases)("is an error in words: %s", async (...args) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (piece: string) => (said += piece));
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).toBe(1);
    expect(said).toBe(
      "error: Cannot write to standard output: no space left on device.\n       code: NO_SPACE\n",
    );
  });

  it.skipIf(!existsSync("/dev/full"))(
    "and a standard error that is full changes no exit code",
    async () => {
      const child = spawn(process.execPath, [program, "--nonsense"], {
        stdio: ["ignore", "ignore", openSync("/dev/full", "w")],
      });
      expect((await once(child, "close"))[0]).toBe(2);
    },
  );
});

describe("narrow terminals", () => {
  /** What may be longer than a terminal is wide: lines to copy, and single words. */
  const mayBeLong = (line: string): boolean =>
    /^\s*(r1-native|git|ssh|-p)\b|^\s*-p/.test(line) || line.trim().split(/\s+/).length === 1;

  async function shownAt(columns: number, args: readonly string[]): Promise<string> {
    const sized = `stty cols ${columns} rows 50; exec "$@"`;
    const { shown, ended } = commandOnTerminal(
      ["sh", "-c", sized, "sh", process.execPath, program, ...args],
      { NO_COLOR: "1" },
    );
    await ended;
    // A slow load shows a bar, which the terminal cuts and which clears itself.
    // eslint-disable-next-line no-control-regex -- terminal codes are what this is about
    const bar = /\u001b7[^]*?\u001b8(?:\u001b\[[0-9;]*[A-Za-z])*/g;
    return shown().replace(bar, "").replaceAll("\r", "");
  }

  it.each([
    ["--help"],
    ["run", "--help"],
    ["chat", "--help"],
    ["quantize", "--help"],
    ["plan", "--help"],
    ["pull", "--help"],
    ["quants"],
    ["run", "--prio", "9", "-p", "x"],
    ["run", "--show-timings", "--hide-reasoning", "-t", "1", "What is 1+1?"],
  ])("are not overrun by %s %s", async (...args) => {
    for (const columns of [40, 80]) {
      const lines = (await shownAt(columns, args)).split("\n");
      expect(lines.length).toBeGreaterThan(2);
      expect(lines.filter((line) => line.length > columns && !mayBeLong(line))).toEqual([]);
    }
  });

  it("have descriptions beside short flags, and below long ones", async () => {
    const wide = await shownAt(80, ["run", "--help"]);
    expect(wide).toMatch(/^ {2}-c, --ctx-size <N> {10}context in tokens/m);
    expect(wide).toMatch(/^ {2}-md, --spec-\S+ --model-draft <FILE>\n {30}a small model/m);
    const narrow = await shownAt(40, ["run", "--help"]);
    expect(narrow).toMatch(/^ {2}-c, --ctx-size <N>\n {6}context in tokens/m);
    expect(narrow).toMatch(/^ {2}-md, \S+\n {4}--model-draft <FILE>\n {6}a small/m);
  });

  it("the download's line keeps share and rate, and the end of the name", () => {
    for (const columns of [40, 69, 80, 109, 110, 200])
      expect(barLayout(columns).format).toMatch(/\{percentage\}.*\{rate\} \{left\}/);
    expect(shortened("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", 24)).toMatch(
      /^Deep.*….*-of-00003\.gguf$/,
    );
    expect(shortened("short.gguf", 24)).toBe("short.gguf");
  });
});
