// The Modelfile for Ollama: R1's template, parameters and stops, one BOS whatever the file says,
// and none for other models; runs in the test process.
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { mergeGguf, splitGguf, writeModelfile } from "../../lib/files.js";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { pair, writeGguf } from "../../scripts/gguf-writer.mjs";
import { run } from "../cli/program.js";
import { changedModel, setPair } from "../fixtures/gguf-model.js";
import { temporaryFolder, tinyModel } from "../fixtures/gguf-temp.js";

const BOS = "<｜begin▁of▁sentence｜>";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "ok",
    (error: unknown) => (isR1Error(error) ? error.code : String(error)),
  );
}

/** The template of the Modelfile that a model gets. */
async function templateOf(model: string): Promise<string> {
  const text = await readFile(await writeModelfile(model, "x", { force: true }), "utf8");
  return /TEMPLATE """([^]*?)"""/.exec(text)?.[1] ?? "";
}

describe("the Modelfile for Ollama", () => {
  it("names the model, and has R1's template, parameters and stops", async () => {
    const folder = await temporaryFolder();
    const model = join(folder, "merged file.gguf");
    await copyFile(tinyModel, model);
    const path = await writeModelfile(model, "me/r1:1.58bit");
    expect(path).toBe(join(folder, "me-r1-1.58bit.Modelfile"));
    const text = await readFile(path, "utf8");
    expect(text).toMatch(/^FROM \.\/merged file\.gguf\n/);
    const parameters = [...text.matchAll(/^PARAMETER (.*)$/gm)].map(([, line]) => line);
    const stops = [BOS, "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"].map(
      (stop) => `stop "${stop}"`,
    );
    expect(parameters).toEqual([
      "temperature 0.6",
      "top_p 0.95",
      "min_p 0.05",
      "num_ctx 8192",
      ...stops,
    ]);
    expect(await codeOf(writeModelfile(model, "me/r1:1.58bit"))).toBe("FILE_EXISTS");
  });

  it("has reasoning in the last turn only, told apart by its tags, and the end token behind the others", async () => {
    const folder = await temporaryFolder();
    await SHAPES["qwen-0.5b"](join(folder, "distill.gguf"));
    for (const model of [tinyModel, join(folder, "distill.gguf")]) {
      const copy = join(folder, "m.gguf");
      await copyFile(model, copy);
      const template = await templateOf(copy);
      // Ollama finds the tags by the text around `.Thinking` inside a loop over the messages.
      expect(template).toContain(
        "{{- if and $isLast .Thinking }}<think>\n{{ .Thinking }}\n</think>\n{{ end }}{{ .Content }}",
      );
      expect(template).toContain("{{ if not $isLast }}<｜end▁of▁sentence｜>{{ end }}");
      expect(template).toContain("<｜User｜>{{ .Content }}");
    }
  });

  it("writes BOS exactly where the tokenizer does not", async () => {
    const folder = await temporaryFolder();
    const withBos = (value: boolean | undefined): Promise<string> =>
      changedModel(join(folder, `${String(value)}.gguf`), (parts) => {
        if (value === undefined) parts.pairs.delete("tokenizer.ggml.add_bos_token");
        else setPair(parts, "tokenizer.ggml.add_bos_token", "bool", value);
      });
    const own = await templateOf(await withBos(true));
    expect(own).not.toContain(BOS);
    expect(await templateOf(await withBos(false))).toBe(BOS + own);
    expect(await templateOf(await withBos(undefined))).toBe(BOS + own);
  });

  it("is not written for a model of another kind, and a merge that is to write one is refused before it begins", async () => {
    const folder = await temporaryFolder();
    const model = join(folder, "other.gguf");
    const data = Buffer.alloc(64);
    await writeGguf(
      model,
      [pair("general.architecture", "str", "llama")],
      ["a", "b"].map((name) => ({ name, type: "f32", shape: [16], data })),
    );
    expect(await codeOf(writeModelfile(model, "x"))).toBe("MODEL_UNSUPPORTED");
    const { paths } = await splitGguf(model, join(folder, "m"), { maxTensors: 1 });
    const out = join(folder, "out.gguf");
    const merge = await run(["merge", paths[0] ?? "", out, "--ollama", "x"]);
    expect([merge.code, merge.stderr]).toEqual([1, expect.stringContaining("MODEL_UNSUPPORTED")]);
    const modelfile = "x";
    expect(await codeOf(mergeGguf(paths[0] ?? "", out, { modelfile }))).toBe("MODEL_UNSUPPORTED");
    expect(await codeOf(writeFile(out, "", { flag: "wx" }))).toBe("ok");
  });

  it("is written by a merge that names it, and an existing one is refused before the merge begins", async () => {
    const folder = await temporaryFolder();
    const { paths } = await splitGguf(tinyModel, join(folder, "m"), { maxTensors: 40 });
    const out = join(folder, "out.gguf");
    const { modelfile } = await mergeGguf(paths[0] ?? "", out, { modelfile: "me/r1" });
    expect(modelfile).toBe(join(folder, "me-r1.Modelfile"));
    expect(await readFile(modelfile ?? "", "utf8")).toMatch(/^FROM \.\/out\.gguf\n/);
    const other = join(folder, "other.gguf");
    const again = mergeGguf(paths[0] ?? "", other, { modelfile: "me/r1" });
    expect(await codeOf(again)).toBe("FILE_EXISTS");
    expect(await codeOf(readFile(other))).toContain("ENOENT");
  });
});
