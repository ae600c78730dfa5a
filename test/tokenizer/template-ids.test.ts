// The ids of R1's template tokens in its three vocabularies, as published.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NativeModel } from "../../lib/binding/native.js";
import { TABLE, TEXT, writeVocabularies } from "../fixtures/vocab-files.js";
import type { VocabularyName } from "../fixtures/vocab-files.js";
import { openVocabulary, upstreamIds } from "./vocabulary.js";

const names = ["r1", "r1-control", "distill-qwen", "distill-llama"] as const satisfies VocabularyName[];
const files = writeVocabularies(names);
afterAll(() => files.remove());

describe.each(names)("the vocabulary %s", (name) => {
  let model: NativeModel;
  const row = TABLE[name];
  beforeAll(async () => {
    model = await openVocabulary(files.paths[name]);
  });
  afterAll(() => model.close());

  it("reads each template string as the one id of the table", () => {
    for (const role of ["think", "endThink", "bos", "eos", "user", "assistant"] as const) {
      expect(Array.from(model.tokenize(TEXT[role], true)), role).toEqual([row[role]]);
      expect(model.detokenize(Int32Array.of(row[role])), role).toBe(TEXT[role]);
    }
  });

  it("tells its own ids of beginning, end and padding", () => {
    const { bos, eos, pad, endOfGeneration } = model.vocab();
    expect({ bos, eos, pad }).toEqual({ bos: row.bos, eos: row.eos, pad: row.pad });
    expect(Array.from(endOfGeneration)).toContain(row.eos);
  });

  it("lists every template token as special", () => {
    const special = new Map(model.specialTokens().map(({ id, text }) => [id, text]));
    for (const role of ["think", "endThink", "bos", "eos", "user", "assistant"] as const) expect(special.get(row[role]), role).toBe(TEXT[role]);
    expect(special.has(row.pad)).toBe(true);
  });

  it("gives the documented raw prompt the ids llama.cpp gives it", () => {
    const prompt = "<｜User｜>What is 1+1?<｜Assistant｜>";
    const ids = Array.from(model.tokenize(prompt, true));
    expect(ids[0]).toBe(row.user);
    expect(ids.at(-1)).toBe(row.assistant);
    expect(ids).toEqual(upstreamIds(files.paths[name], prompt, true));
  });

  it("gives a conversation of two turns, as segments, the ids of its text", () => {
    const { bos, eos, user, assistant } = row;
    const texts = ["", "", "What is 1+1?", "", "It's 2.", "", "", "Explain more!", ""];
    const { tokens, ends } = model.tokenizeSegments(texts, Int32Array.of(bos, user, -1, assistant, -1, eos, user, -1, assistant));
    const text = `${TEXT.bos}${TEXT.user}What is 1+1?${TEXT.assistant}It's 2.${TEXT.eos}${TEXT.user}Explain more!${TEXT.assistant}`;
    expect(Array.from(tokens)).toEqual(upstreamIds(files.paths[name], text, true));
    expect(model.detokenize(tokens)).toBe(text);
    expect(ends.length).toBe(texts.length);
    expect(ends.at(-1)).toBe(tokens.length);
  });
});
