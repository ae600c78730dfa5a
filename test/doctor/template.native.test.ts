// What the doctor says about chat templates and about who writes BOS; runs in the test process.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Diagnosis } from "../../lib/doctor/types.js";
import { diagnose } from "../../lib/doctor/doctor.js";
import { ROLE_TEXTS } from "../../lib/template/segment.js";
import { readGguf } from "../../scripts/gguf-writer.mjs";
import { changed, finding, ids } from "../fixtures/doctor.js";
import { setPair } from "../fixtures/gguf-model.js";
import { llamaFolder, tinyModel } from "../fixtures/gguf-temp.js";

describe("the chat template", () => {
  const official = (name: string): Promise<string> =>
    readFile(join(llamaFolder, "models/templates", name), "utf8");
  const withTemplate = (template: string | null): Promise<Diagnosis> =>
    changed((parts) => {
      if (template === null) parts.pairs.delete("tokenizer.chat_template");
      else setPair(parts, "tokenizer.chat_template", "str", template);
    });
  /** The embedded model's template: the end of its pair. */
  const own = async (): Promise<string> => {
    const { pairs } = await readGguf(tinyModel);
    return (
      pairs
        .get("tokenizer.chat_template")
        ?.raw.toString("utf8", 8 + "tokenizer.chat_template".length + 4 + 8) ?? ""
    );
  };

  it.each([
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja",
    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
  ])("%s is R1's and opens the reasoning", async (name) => {
    const found = await withTemplate(await official(name));
    expect(found.templateForm).toBe("r1-opens-think");
    expect(ids(found)).toEqual([]);
    expect(finding(found, "template-opens-think").severity).toBe("info");
  });

  it("of llama.cpp is told from R1's", async () => {
    const found = await withTemplate(await official("llama-cpp-deepseek-r1.jinja"));
    expect(found.templateForm).toBe("llama.cpp");
    expect(finding(found, "template-llama-cpp").severity).toBe("warning");
  });

  it("that writes BOS beside add_bos_token is a note; one that writes two is an error", async () => {
    expect(finding(await diagnose(tinyModel), "double-bos").severity).toBe("info");
    const twice = await withTemplate(`{{ bos_token }}${await own()}`);
    expect(ids(twice)).toEqual(["template-double-bos"]);
    expect(finding(twice, "template-double-bos")).toMatchObject({
      severity: "error",
      found: expect.stringContaining("2 BOS") as unknown,
    });
    const literal = await withTemplate(`${ROLE_TEXTS.bos}${await own()}`);
    expect(ids(literal)).toEqual(["template-double-bos"]);
    const none = await withTemplate((await own()).replace("bos_token + ", ""));
    expect(none.findings.map(({ id }) => id)).not.toContain("double-bos");
  });

  it.each([
    ["none", null, "none", "template-missing"],
    ["an empty one", "", "none", "template-missing"],
    [
      "ChatML",
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n",
      "other",
      "template-not-r1",
    ],
    ["one that cannot be parsed", "{% if %}", "fails", "template-fails"],
    [
      "one without end",
      "{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}",
      "fails",
      "template-fails",
    ],
  ] as const)("%s is told", async (_, template, form, id) => {
    const found = await withTemplate(template);
    expect(found.templateForm).toBe(form);
    expect(ids(found)).toEqual([id]);
  });

  it("with a closed reasoning block, one that keeps reasoning, one without EOS, and one that drops system messages are told", async () => {
    const text = await own();
    const closed = await withTemplate(
      text.replace("{{- '<｜Assistant｜>' -}}", "{{- '<｜Assistant｜><think>\\n</think>' -}}"),
    );
    expect([closed.templateForm, ids(closed)]).toEqual(["r1-closed", ["template-closed"]]);
    const keeps = await withTemplate(
      text.replace("content.split('</think>')[-1] | trim", "content"),
    );
    expect(finding(keeps, "template-history").found).toContain("keeps the reasoning");
    const open = await withTemplate(text.replace("content + '<｜end▁of▁sentence｜>'", "content"));
    expect(finding(open, "template-history").found).toContain("does not close assistant turns");
    const silent = await withTemplate(text.replace("bos_token + ns.system", "bos_token"));
    expect(ids(silent)).toEqual(["template-system"]);
  });
});
