// Text of any shape and size: a megabyte of every kind of text, in the main thread, in a worker and
// for an isolated model, and random texts against upstream's ids with R1's whole vocabulary.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isR1Error } from "../../../lib/base/errors.js";
import type { Weights } from "../../../lib/weights/weights.js";
import { writeVocabularies } from "../../fixtures/vocab-files.js";
import { openVocabulary } from "./vocabulary.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const files = writeVocabularies(["r1", "distill-qwen", "distill-llama"]);
afterAll(() => files.remove());

const MB = 1_000_000;
const repeated = (piece: string): string => piece.repeat(Math.ceil(MB / Buffer.byteLength(piece)));
const KINDS: Record<string, string> = {
  "one letter": repeated("Z"),
  ideographs: repeated("你好"),
  kana: repeated("あ"),
  Hangul: repeated("가나"),
  Thai: repeated("สวัสดี"),
  Arabic: repeated("مرحبا"),
  spaces: repeated(" "),
  "line breaks": repeated("\n"),
  "returns and line breaks": repeated("\r\n"),
  tabs: repeated("\t"),
  dashes: repeated("-"),
  signs: repeated("!@#$%^&*()"),
  digits: repeated("1234567890"),
  emoji: repeated("😀👨‍👩‍👧"),
  base64: repeated("TWFuIGlzIGRpc3Rpbmd1aXNoZWQ"),
  "minified code": repeated("function(a,b){return a+b;}var c=d[0]||{};"),
  DNA: repeated("ACGTTGCAAC"),
  "mixed scripts": repeated("aБ你1 é\t😀-ก\n"),
  "combining marks": repeated("á̂"),
  "special tokens": repeated("<｜User｜></think>"),
  English: repeated("The quick brown fox jumps over the lazy dog. "),
};

describe.each(["r1", "distill-qwen", "distill-llama"] as const)(
  "a megabyte, with the vocabulary %s",
  (name) => {
    let model: Weights;
    beforeAll(async () => {
      model = await openVocabulary(files.paths[name]);
    });
    afterAll(() => model.close());

    it.each(Object.keys(KINDS))("of %s comes back as it was", async (kind) => {
      const text = KINDS[kind] as string;
      const ids = await model.native.tokenizeAsync(text, false);
      expect(model.native.detokenize(ids) === text).toBe(true);
    });
  },
);

it("random texts have upstream's ids with R1's whole vocabulary", () => {
  const output = execFileSync(
    join(root, "build-native", "bin", "r1_core_tests"),
    ["text: random texts"],
    {
      encoding: "utf8",
      env: { ...process.env, R1_FUZZ_VOCAB: files.paths.r1, R1_FUZZ_SEED: "12" },
    },
  );
  expect(output).toContain("1 claims hold, 0 do not");
});

describe("a long text", () => {
  const inWorker = `
    const { workerData, parentPort } = require("node:worker_threads");
    import(workerData.library).then(async ({ loadModel }) => {
      const model = await loadModel({ threads: 1, contextSize: 512 });
      for (const text of workerData.texts)
        if (model.tokenizer.decode(model.tokenizer.encode(text)) !== text) throw new Error("other text");
      await model.close();
      parentPort.postMessage("done");
    });`;

  it("is tokenised in a worker thread", async () => {
    const worker = new Worker(inWorker, {
      eval: true,
      workerData: {
        library: new URL("../../../dist/index.js", import.meta.url).href,
        texts: Object.values(KINDS),
      },
    });
    const outcome = await new Promise((resolve) => {
      worker.once("message", resolve);
      worker.once("error", resolve);
    });
    await worker.terminate();
    expect(outcome).toBe("done");
  });

  it("above the bound is refused with its size", async () => {
    const model = await openVocabulary(files.paths.r1);
    const long = "a".repeat(16 * 2 ** 20 + 1);
    const error: unknown = await model.native.tokenizeAsync(long, false).catch((e: unknown) => e);
    await model.close();
    expect((error as { code?: string }).code).toBe("TEXT_TOO_LONG");
    expect(isR1Error(error) || error instanceof Error).toBe(true);
    expect(String(error)).toContain("16777217 bytes");
  });
});
