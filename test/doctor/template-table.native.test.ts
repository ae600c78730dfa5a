// The table of docs/reference/model-files.md: what the doctor finds in five files is what stands
// there.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { diagnose } from "../../lib/doctor/doctor.js";
import { readGguf } from "../../scripts/gguf-writer.mjs";
import { changedModel, setPair } from "../fixtures/gguf-model.js";
import { temporaryFolder, tinyModel } from "../fixtures/gguf-temp.js";
import { upstreamModels } from "../fixtures/vocab-files.js";

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Writes a file into a folder and returns its path. */
const FILES: readonly (readonly [name: string, write: (folder: string) => Promise<string>])[] = [
  ["the embedded model", () => Promise.resolve(tinyModel)],
  [
    "the layout before MLA",
    (folder) => {
      const path = join(folder, "legacy.gguf");
      execFileSync(
        process.execPath,
        [root("scripts/make-synthetic.mjs"), "--shape", "deepseek2-legacy", "--out", path],
        { stdio: "ignore" },
      );
      return Promise.resolve(path);
    },
  ],
  [
    "padding = EOS",
    (folder) =>
      changedModel(join(folder, "padding.gguf"), (parts) =>
        setPair(parts, "tokenizer.ggml.padding_token_id", "u32", 1),
      ),
  ],
  [
    "a template that writes BOS twice",
    async (folder) => {
      const template = (await readGguf(tinyModel)).pairs.get("tokenizer.chat_template")?.text ?? "";
      const twice = template.replace("bos_token", "bos_token + bos_token");
      expect(twice).not.toBe(template);
      return changedModel(join(folder, "twice.gguf"), (parts) =>
        setPair(parts, "tokenizer.chat_template", "str", twice),
      );
    },
  ],
  [
    "the vocabulary of Qwen 2",
    async (folder) => {
      const qwen = await readGguf(join(upstreamModels, "ggml-vocab-qwen2.gguf"));
      const isVocabulary = (key: string): boolean => key.startsWith("tokenizer.");
      return changedModel(join(folder, "qwen.gguf"), (parts) => {
        for (const key of [...parts.pairs.keys()].filter(isVocabulary)) parts.pairs.delete(key);
        for (const [key, { raw }] of qwen.pairs) if (isVocabulary(key)) parts.pairs.set(key, raw);
      });
    },
  ],
  [
    "no gating function",
    (folder) =>
      changedModel(join(folder, "gating.gguf"), (parts) =>
        parts.pairs.delete("deepseek2.expert_gating_func"),
      ),
  ],
];

describe("the table of findings in docs/reference/model-files.md", () => {
  it("is what the doctor finds", async () => {
    const folder = await temporaryFolder();
    const rows: string[] = [];
    for (const [name, write] of FILES) {
      const { findings } = await diagnose(await write(folder));
      const list = (severity: string): string =>
        findings
          .filter((finding) => finding.severity === severity)
          .map(({ id }) => `\`${id}\``)
          .join(", ");
      const mended = findings
        .filter(({ changes }) => changes.length > 0)
        .map(({ id }) => `\`${id}\``);
      rows.push(
        `| ${name} | ${list("error")} | ${list("warning")} | ${list("info")} | ${mended.join(", ")} |`,
      );
    }
    const squeeze = (text: string): string => text.replace(/ +/g, " ");
    const document = squeeze(readFileSync(root("docs/reference/model-files.md"), "utf8"));
    for (const row of rows) expect(document).toContain(squeeze(row));
  });
});
