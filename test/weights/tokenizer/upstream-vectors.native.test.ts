// llama.cpp's own test vectors, read through our binding.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Weights } from "../../../lib/weights/weights.js";
import { upstreamModels, writeVocabularies } from "../../fixtures/vocab-files.js";
import { openVocabulary } from "./vocabulary.js";

interface Vector {
  text: string;
  ids: number[];
}

function vectors(name: string): Vector[] {
  const texts = readFileSync(join(upstreamModels, `${name}.gguf.inp`), "utf8").split(
    "\n__ggml_vocab_test__\n",
  );
  const lines = readFileSync(join(upstreamModels, `${name}.gguf.out`), "utf8").split("\n");
  return texts.map((text, i) => ({
    text,
    ids: (lines[i] ?? "").split(" ").filter(Boolean).map(Number),
  }));
}

/**
 * The file whose vectors, and the file to read them with; the remapped files must give the same
 * ids, as none of the texts holds a special string.
 */
const cases = [
  { name: "ggml-vocab-qwen2", remapped: "distill-qwen" },
  { name: "ggml-vocab-llama-bpe", remapped: "distill-llama" },
] as const;

const files = writeVocabularies(["distill-qwen", "distill-llama"]);
afterAll(() => files.remove());

describe.each(cases)("the vectors of $name", ({ name, remapped }) => {
  const all = vectors(name);
  let original: Weights;
  let remappedModel: Weights;
  beforeAll(async () => {
    original = await openVocabulary(join(upstreamModels, `${name}.gguf`));
    remappedModel = await openVocabulary(files.paths[remapped]);
  });
  afterAll(async () => {
    await original.close();
    await remappedModel.close();
  });

  it("are at least 40, so that a change of their format does not go unseen", () => {
    expect(all.length).toBeGreaterThanOrEqual(40);
    expect(all.filter(({ ids }) => ids.length > 0).length).toBeGreaterThanOrEqual(40);
  });

  it.each(all)("give $text its ids", ({ text, ids }) => {
    expect(Array.from(original.tokenizer.encode(text))).toEqual(ids);
    expect(Array.from(remappedModel.tokenizer.encode(text))).toEqual(ids);
    expect(Array.from(remappedModel.tokenizer.encode(text, { special: true }))).toEqual(ids);
  });

  it.each(all)("come back as the text $text", ({ text, ids }) => {
    expect(original.tokenizer.decode(Int32Array.from(ids))).toBe(text);
  });
});
