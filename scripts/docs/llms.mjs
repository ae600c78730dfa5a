// The documents for language models: an index (llms.txt) and all texts in one file (llms-full.txt).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { groups } from "./pages.mjs";

const INTRODUCTION = `# r1-native

> Runs DeepSeek-R1 inside a Node process: llama.cpp decodes on its own thread and streams reasoning
> and answer to TypeScript.
`;

/** The first paragraph of prose below the title. */
function summaryOf(text) {
  const paragraphs = text.split(/\n{2,}/).slice(1);
  const first = paragraphs.find((paragraph) => /^[A-Z`*[]/.test(paragraph)) ?? "";
  return first
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("\n", " ")
    .replace(/(?<=[.:])\s.*$/, "")
    .replace(/:$/, ".");
}

/** The files by name, made of the pages in a folder. */
export function llmsTexts(folder) {
  const read = (target) => readFileSync(join(folder, target), "utf8");
  const index = groups.map(({ text, pages }) => {
    const lines = pages.map(
      ({ title, target }) => `- [${title}](${target}): ${summaryOf(read(target))}`,
    );
    return `## ${text}\n\n${lines.join("\n")}\n`;
  });
  const whole = groups
    .filter(({ text }) => text === "Guide" || text === "Reference")
    .flatMap(({ pages }) => pages.map(({ target }) => `${read(target).trim()}\n`));
  return {
    "llms.txt": [INTRODUCTION, ...index].join("\n"),
    "llms-full.txt": [INTRODUCTION, ...whole].join("\n---\n\n"),
  };
}
