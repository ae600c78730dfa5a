// Which documents are pages of the docs site, where, and in which order the side bar lists them.
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(fileURLToPath(import.meta.url), "../../..");

/** The names of the documents in a folder of docs/, without their ending. */
function namesIn(folder) {
  return readdirSync(join(root, "docs", folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.slice(0, -3))
    .sort();
}

/** The groups of the side bar; a document is `[path in the repository, path on the site]`. */
const GROUPS = [
  {
    text: "Guide",
    folder: "guide",
    order: [
      "install",
      "choose-a-model",
      "gpu",
      "chat-and-streaming",
      "reasoning",
      "tools",
      "structured-answers",
      "sessions",
      "many-users",
      "server",
      "batch",
      "queue",
      "several-machines",
      "isolation",
      "plan-and-download",
      "memory",
      "from-llama-cpp",
      "from-node-llama-cpp",
      "from-openai",
      "troubleshooting",
    ],
  },
  {
    text: "Reference",
    folder: "reference",
    order: ["api", "cli", "errors", "response", "template", "server-protocols"],
    others: [
      ["examples/README.md", "examples/index.md"],
      ["examples/distill/README.md", "examples/distill.md"],
      ["examples/eval/README.md", "examples/eval.md"],
      ["SECURITY.md", "security.md"],
      ["CHANGELOG.md", "changelog.md"],
    ],
  },
  { text: "Evidence", folder: "evidence", order: ["parity", "benchmark"] },
  {
    text: "Inside",
    folder: undefined,
    order: [],
    others: [
      ["docs/architecture.md", "inside/architecture.md"],
      ["CONTRIBUTING.md", "inside/contributing.md"],
      ["test/README.md", "inside/tests.md"],
      ["native/test/README.md", "inside/native-tests.md"],
      ...namesIn("")
        .filter((name) => name !== "README" && name !== "architecture")
        .map((name) => [`docs/${name}.md`, `inside/${name}.md`]),
    ],
  },
  { text: "Decisions", folder: "decisions", order: [] },
];

/** Pages that are linked but not in the side bar. */
const UNLISTED = [
  ["README.md", "about.md"],
  ["docs/README.md", "documents.md"],
];

/** The text of the first heading. */
export const titleOf = (text) => (/^# (.+)$/m.exec(text)?.[1] ?? "").replaceAll("`", "");

/** The documents of a folder of docs/: those of `order` first, then the others by name. */
function ofFolder(folder, order) {
  const names = namesIn(folder);
  const missing = order.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`docs/${folder} has no ${missing.join(", ")}`);
  const rest = names.filter((name) => !order.includes(name));
  return [...order, ...rest].map((name) => [`docs/${folder}/${name}.md`, `${folder}/${name}.md`]);
}

const page = ([source, target]) => ({
  source,
  target,
  title: titleOf(readFileSync(join(root, source), "utf8")),
});

/** The groups with their pages. */
export const groups = GROUPS.map(({ text, folder, order, others = [] }) => ({
  text,
  pages: [...(folder === undefined ? [] : ofFolder(folder, order)), ...others].map(page),
}));

/** Every page. */
export const pages = [...groups.flatMap((group) => group.pages), ...UNLISTED.map(page)];

/** The side bar of VitePress. */
export const sidebar = groups.map(({ text, pages: items }) => ({
  text,
  collapsed: text === "Decisions" || text === "Inside",
  items: items.map(({ title, target }) => ({
    text: title,
    link: `/${target.replace(/(index)?\.md$/, "")}`,
  })),
}));
