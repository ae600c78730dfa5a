// The ids of R1's template tokens in its three vocabularies, as published, and the prompts made of
// them.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { normalizePrompt } from "../../../lib/model/chat-options.js";
import { chatText, promptNow, rawPrompt } from "../../../lib/model/prompt.js";
import type { Weights } from "../../../lib/weights/weights.js";
import { TABLE, TEXT, writeVocabularies } from "../../fixtures/vocab-files.js";
import type { VocabularyName } from "../../fixtures/vocab-files.js";
import { openVocabulary, upstreamIds } from "./vocabulary.js";

const names = [
  "r1",
  "r1-control",
  "distill-qwen",
  "distill-llama",
] as const satisfies VocabularyName[];
const files = writeVocabularies(names);
afterAll(() => files.remove());

const roles = ["think", "endThink", "bos", "eos", "user", "assistant"] as const;

describe.each(names)("the vocabulary %s", (name) => {
  let model: Weights;
  const row = TABLE[name];
  beforeAll(async () => {
    model = await openVocabulary(files.paths[name]);
  });
  afterAll(() => model.close());

  it("is recognised, with the ids of the table", () => {
    expect(model.variant).toBe(name.startsWith("r1") ? "r1" : name);
    const { bos, eos, pad, user, assistant, think, endThink } = model.tokenizer;
    expect({ bos, eos, pad, user, assistant, think, endThink }).toEqual(row);
  });

  it("reads each template string as its one id, and writes it back", () => {
    for (const role of roles) {
      expect(Array.from(model.tokenizer.encode(TEXT[role], { special: true })), role).toEqual([
        row[role],
      ]);
      expect(model.tokenizer.decode(Int32Array.of(row[role])), role).toBe(TEXT[role]);
    }
  });

  it("lists every template token as special, and its end as one that ends a generation", () => {
    const special = new Map(model.native.specialTokens().map(({ id, text }) => [id, text]));
    for (const role of roles) expect(special.get(row[role]), role).toBe(TEXT[role]);
    expect(special.has(row.pad)).toBe(true);
    expect(model.tokenizer.endOfGeneration.has(row.eos)).toBe(true);
  });

  it("gives the documented raw prompt one BOS and the ids llama.cpp gives it, also when it brings its own", async () => {
    const prompt = "<｜User｜>What is 1+1?<｜Assistant｜>";
    const expected = [row.bos, ...upstreamIds(files.paths[name], prompt, true)];
    expect(expected[1]).toBe(row.user);
    expect(expected.at(-1)).toBe(row.assistant);
    for (const given of [prompt, TEXT.bos + prompt, TEXT.bos + TEXT.bos + prompt])
      expect(Array.from((await rawPrompt(given, model)(() => true)).tokens)).toEqual(expected);
  });

  it("gives a conversation of two turns the ids llama.cpp gives the published text", () => {
    const published =
      "<｜begin▁of▁sentence｜><｜User｜>What is 1+1?<｜Assistant｜>It's 2.<｜end▁of▁sentence｜><｜User｜>Explain more!<｜Assistant｜>";
    const written = chatText(
      [
        { role: "user", content: "What is 1+1?" },
        { role: "assistant", content: "It's 2." },
        { role: "user", content: "Explain more!" },
      ],
      { config: normalizePrompt({}, "auto"), opensThink: false },
      model,
    );
    const { tokens } = promptNow(written, model);
    expect(written.layout().text).toBe(published);
    expect(Array.from(tokens)).toEqual(upstreamIds(files.paths[name], published, true));
  });

  it("counts where each segment of a template ends", () => {
    const { bos, user, assistant } = row;
    const { tokens, ends } = model.native.tokenizeSegments(
      ["", "", "What is 1+1?", ""],
      Int32Array.of(bos, user, -1, assistant),
    );
    expect(Array.from(ends.slice(0, 2))).toEqual([1, 2]);
    expect(ends.at(-1)).toBe(tokens.length);
    expect(model.tokenizer.decode(tokens.slice(ends[1], ends[2]))).toBe("What is 1+1?");
  });
});
