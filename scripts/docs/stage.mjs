// Copies the documents into the folder that the docs site is built from: links lead to pages of the
// site, and complete programs show their types.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { groups, pages, root } from "./pages.mjs";

/** The address of a file in the repository; undefined where the project does not know its own. */
function sourceAddress(path) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name, R1_REPOSITORY: given } = process.env;
  const repository = given ?? (server && name ? `${server}/${name}` : undefined);
  if (repository === undefined) return undefined;
  const kind = statSync(join(root, path)).isDirectory() ? "tree" : "blob";
  return `${repository}/${kind}/main/${path}`;
}

/** Where a link of a page leads on the site; undefined: nowhere, and its text remains. */
function newLink(link, { source, target }) {
  if (/^[a-z]+:/.test(link) || link.startsWith("#")) return link;
  const [path = "", anchor] = link.split("#");
  const file = posix.normalize(posix.join(posix.dirname(source), path)).replace(/\/$/, "");
  if (!existsSync(join(root, file))) throw new Error(`${source} links to ${link}`);
  const found =
    file === "docs/decisions" ? "decisions/index.md" : pages.find((page) => page.source === file);
  const to = typeof found === "string" ? found : found?.target;
  if (to === undefined) return sourceAddress(file);
  const relative = posix.relative(posix.dirname(target), to);
  const prefix = relative.startsWith(".") ? "" : "./";
  return `${prefix}${relative}${anchor === undefined ? "" : `#${anchor}`}`;
}

const FENCE = /^( *)(`{3,})([\w-]*)([^\n]*)\n([^]*?)^\1\2$/gm;

/** Adds twoslash to programs that run, with the code they continue, and drops the test's marks. */
function showTypes(text) {
  let earlier = "";
  return text.replace(FENCE, (whole, indent, fence, language, marks, code) => {
    const isProgram =
      /^[jt]s$/.test(language) && !/not-run|signature|file=/.test(marks) && indent === "";
    if (!isProgram) return `${indent}${fence}${language}\n${code}${indent}${fence}`;
    const isContinued = marks.includes("continued");
    const hidden = isContinued ? `${earlier}// ---cut---\n` : "";
    earlier = isContinued ? earlier + code : code;
    return `${fence}${language} twoslash\n${hidden}${code}${fence}`;
  });
}

/** Changes a document's text outside of its code. */
function outsideCode(text, change) {
  return text
    .split(/(^ *`{3,}[^]*?^ *`{3,}$|`[^`\n]+`)/m)
    .map((piece, index) => (index % 2 === 0 ? change(piece) : piece))
    .join("");
}

/** The text of a page on the site. */
export function stagedText(text, page) {
  const linked = text.replace(
    /(!?)\[((?:[^\]`]|`[^`]*`)*)\]\(\s*([^)\s]*(?:\([^)]*\)[^)\s]*)?)\)/g,
    (whole, image, label, link) => {
      const to = newLink(link, page);
      return to === undefined ? label : `${image}[${label}](${to})`;
    },
  );
  return outsideCode(showTypes(linked), (piece) => piece.replaceAll(/<!--[^]*?-->\n*/g, ""));
}

function decisionsIndex() {
  const { pages: items } = groups.find(({ text }) => text === "Decisions");
  const lines = items.map(({ title, target }) => `- [${title}](./${posix.basename(target)})`);
  return `# Decisions\n\nWhat was decided, what else was tried, and why.\n\n${lines.join("\n")}\n`;
}

/** Writes all pages into a folder. */
export function stage(folder) {
  const write = (target, text) => {
    mkdirSync(dirname(join(folder, target)), { recursive: true });
    writeFileSync(join(folder, target), text);
  };
  for (const page of pages)
    write(page.target, stagedText(readFileSync(join(root, page.source), "utf8"), page));
  write("decisions/index.md", decisionsIndex());
  write("index.md", readFileSync(join(root, "scripts", "docs", "home.md"), "utf8"));
}
