// Writes the table of template cases in docs/reference/template.md: each conversation rendered by
// our template and by the official files.
//
// node scripts/template-table.mjs           rewrites the table (needs dist/)
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Template } from "@huggingface/jinja";
import { CASES, toReference } from "../test/fixtures/template-cases.mjs";

const root = new URL("../", import.meta.url);
const templates = new URL("vendor/llama.cpp/models/templates/", root);
const BEGIN = "<!-- table of cases: written by scripts/template-table.mjs -->";
const END = "<!-- end of the table -->";

/**
 * The reference files, what they want tool arguments to be, and whether they hold the official text
 * or llama.cpp's own.
 */
export const REFERENCES = [
  {
    key: "llama",
    title: "Distill-Llama",
    file: "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja",
    textArguments: true,
  },
  {
    key: "qwen",
    title: "Distill-Qwen",
    file: "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
    textArguments: false,
  },
  {
    key: "own",
    title: "llama.cpp's own",
    file: "llama-cpp-deepseek-r1.jinja",
    textArguments: false,
  },
];

/** Each turn with the one after it; system messages are no turns. */
function neighbours(messages) {
  const turns = messages.filter((m) => m.role !== "system");
  return turns.map((m, i) => [m, turns[i + 1]]);
}

/**
 * Each deliberate difference: its letter, which reference shows it, and which conversations it
 * touches. Those it does not touch must be equal.
 */
export const DIFFERENCES = [
  {
    letter: "A",
    of: ["llama", "qwen", "own"],
    touches: (messages) => messages.filter((m) => m.role === "system").length > 1,
    reference: "of several system messages, only the last is kept",
    ours: "all that are not empty, joined by a blank line, as the newer official templates do",
  },
  {
    letter: "B",
    of: ["llama"],
    touches: (messages) =>
      messages.some((m) => m.toolCalls !== undefined && m.toolCalls.length !== 2),
    reference:
      "the calls are closed after every call but the first: one call never gets `<｜tool▁calls▁end｜>` and EOS, three get them twice",
    ours: "closed once, after the last call",
  },
  {
    letter: "C",
    of: ["llama", "qwen"],
    touches: (messages) => messages.filter((m) => m.toolCalls !== undefined).length > 1,
    reference:
      "the flags for the first call and the first output are never reset: later turns lack `<｜Assistant｜><｜tool▁calls▁begin｜>` and `<｜tool▁outputs▁begin｜>`",
    ours: "every turn with calls, and every run of outputs, is opened",
  },
  {
    letter: "D",
    of: ["llama", "qwen"],
    touches: (messages) =>
      neighbours(messages).some(
        ([m, next]) =>
          m.role === "tool" && (next?.role === "user" || next?.toolCalls !== undefined),
      ),
    reference:
      "`<｜tool▁outputs▁end｜>` is missing when a user turn or further calls follow the outputs",
    ours: "outputs are closed before whoever speaks next",
  },
  {
    letter: "E",
    of: ["llama", "qwen", "own"],
    touches: (messages) => messages.some((m) => m.toolCalls !== undefined && m.content !== ""),
    reference:
      "text beside calls: Distill-Llama and llama.cpp's own drop the calls, Distill-Qwen writes a second assistant turn after them",
    ours: "one turn: the text, then the calls (as R1-0528)",
  },
  {
    letter: "F",
    of: ["llama", "qwen"],
    touches: (messages) =>
      neighbours(messages).some(
        ([m, next]) =>
          m.role === "tool" && next?.role === "assistant" && next.content.includes("</think>"),
      ),
    reference: "a reply to tool outputs keeps its reasoning",
    ours: "only what follows `</think>`, as in every other turn",
  },
  {
    letter: "G",
    of: ["own"],
    touches: (messages) => messages.some((m) => m.role === "user"),
    reference: "EOS after every user turn",
    ours: "EOS after assistant turns only, as in the official files",
  },
  {
    letter: "H",
    of: ["own"],
    touches: (messages) => messages.some((m) => m.role === "tool"),
    reference:
      "a line break before the first output, EOS after `<｜tool▁outputs▁end｜>`, then a new `<｜Assistant｜>`",
    ours: "as the official files: no line break, no EOS, the assistant goes on",
  },
];

const BOS = "<｜begin▁of▁sentence｜>";
const compiled = new Map();

/** What a reference file makes of a conversation. */
export function renderReference(reference, messages, pythonJson, values = {}) {
  if (!compiled.has(reference.file))
    compiled.set(
      reference.file,
      new Template(readFileSync(new URL(reference.file, templates), "utf8")),
    );
  const converted = toReference(messages, (value) =>
    reference.textArguments ? pythonJson(value) : value,
  );
  return compiled.get(reference.file).render({
    messages: converted,
    bos_token: BOS,
    add_generation_prompt: true,
    enable_thinking: true,
    ...values,
  });
}

/** Letters of the differences that touch a conversation with a reference. */
export function lettersFor(reference, messages) {
  return DIFFERENCES.filter(
    (difference) => difference.of.includes(reference.key) && difference.touches(messages),
  ).map((difference) => difference.letter);
}

/** The table, as Markdown: equal, or the letters of the differences. */
export function makeTable({ renderChat, segmentsToText, pythonJson }) {
  const lines = [
    `| conversation | ${REFERENCES.map((r) => r.title).join(" | ")} |`,
    `| --- | ${REFERENCES.map(() => "---").join(" | ")} |`,
  ];
  const equal = REFERENCES.map(() => 0);
  for (const { name, messages } of CASES) {
    const ours = segmentsToText(renderChat(messages, { openThink: true }));
    const cells = REFERENCES.map((reference, i) => {
      const isEqual = renderReference(reference, messages, pythonJson) === ours;
      if (isEqual) equal[i]++;
      const letters = lettersFor(reference, messages);
      if (isEqual) return "equal";
      return letters.length === 0 ? "DIFFERS" : letters.join(" ");
    });
    lines.push(`| ${name} | ${cells.join(" | ")} |`);
  }
  lines.push(`| **equal, of ${CASES.length}** | ${equal.join(" | ")} |`);
  return lines.join("\n");
}

/** The list of deliberate differences, as Markdown. */
export function makeDifferences() {
  const titles = Object.fromEntries(REFERENCES.map((r) => [r.key, r.title]));
  const rows = DIFFERENCES.map(
    (d) =>
      `| ${d.letter} | ${d.of.map((key) => titles[key]).join(", ")} | ${d.reference} | ${d.ours} |`,
  );
  return ["| | in | the reference | ours |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

const sourceOf = (file) => readFileSync(new URL(file, templates), "utf8");

/**
 * The three ways an official file ends a prompt, each with the files that write it. The first
 * release's files end in `<｜Assistant｜>`; but for that they are the later ones.
 */
export const FORMS = [
  {
    title: "open",
    options: { openThink: true },
    of: ["llama", "qwen"],
    change: (source) => source,
    values: {},
  },
  {
    title: "bare",
    options: { openThink: false },
    of: ["llama", "qwen"],
    change: (source) => source.replaceAll("<think>\\n'}}", "'}}"),
    values: {},
  },
  {
    title: "closed",
    options: { skipThink: true },
    of: ["qwen"],
    change: (source) => source,
    values: { enable_thinking: false },
  },
];

/**
 * How many conversations are equal, by form and file; those that are not are touched by a listed
 * difference, or thrown as an error.
 */
export function makeForms({ renderChat, segmentsToText, pythonJson }) {
  const official = REFERENCES.filter((reference) => reference.key !== "own");
  const lines = [
    `| the prompt's end | ${official.map((r) => r.title).join(" | ")} |`,
    `| --- | ${official.map(() => "---").join(" | ")} |`,
  ];
  for (const { title, options, of, change, values } of FORMS) {
    const cells = official.map((reference) => {
      if (!of.includes(reference.key)) return "does not write it";
      const source = sourceOf(reference.file);
      const template = new Template(change(source));
      if (title === "bare" && change(source) === source)
        throw new Error(`${reference.file} does not end in <think>`);
      let equal = 0;
      for (const { name, messages } of CASES) {
        const converted = toReference(messages, (value) =>
          reference.textArguments ? pythonJson(value) : value,
        );
        const theirs = template.render({
          messages: converted,
          bos_token: BOS,
          add_generation_prompt: true,
          enable_thinking: true,
          ...values,
        });
        const isEqual = segmentsToText(renderChat(messages, options)) === theirs;
        if (isEqual) equal++;
        else if (lettersFor(reference, messages).length === 0)
          throw new Error(`${name} differs from ${reference.title} in the ${title} form`);
      }
      return `${equal} of ${CASES.length}`;
    });
    lines.push(`| ${title} | ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

/** A document with its generated part replaced. */
export function withTable(document, functions) {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error("docs/reference/template.md has lost the marks around its table");
  return `${document.slice(0, begin + BEGIN.length)}\n\n${makeForms(functions)}\n\n${makeDifferences()}\n\n${makeTable(functions)}\n\n${document.slice(end)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [{ renderChat }, { segmentsToText }, { pythonJson }] = await Promise.all(
    ["r1", "segment", "json-text"].map(
      (name) => import(new URL(`dist/template/${name}.js`, root).href),
    ),
  );
  const path = new URL("docs/reference/template.md", root);
  writeFileSync(
    path,
    withTable(readFileSync(path, "utf8"), { renderChat, segmentsToText, pythonJson }),
  );
}
