// Reads the fenced code blocks of a document, with the marks after their language. CONTRIBUTING.md
// describes the marks.
import { readFileSync } from "node:fs";

/** Languages that a test can run. */
const RUNNABLE = new Set(["sh", "js", "ts"]);

/** Marks without a value, and marks with one: `name="value"`. */
const FLAGS = new Set(["server", "continued", "signature", "output", "twoslash"]);
const VALUES = new Set(["not-run", "file", "stdin", "exit"]);

function marksOf(info, where) {
  const marks = {};
  for (const [, name, value] of info.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)) {
    const isKnown = value === undefined ? FLAGS.has(name) : VALUES.has(name);
    if (!isKnown) throw new Error(`${where}: the mark ${name} is not known`);
    marks[name] = value ?? true;
  }
  return marks;
}

/**
 * Returns the fenced blocks of a Markdown text: `{ line, language, marks, code, isRunnable }`.
 * `line` is that of the fence, from 1.
 */
export function snippetsOf(text, page) {
  const found = [];
  let open;
  for (const [index, line] of text.split("\n").entries()) {
    if (open === undefined) {
      const [, indent, fence, language, info] =
        /^( *)(`{3,}|~{3,})([\w-]*) *(.*)$/.exec(line) ?? [];
      if (fence === undefined) continue;
      const marks = marksOf(info, `${page}:${index + 1}`);
      open = { indent: indent.length, fence, line: index + 1, language, marks, lines: [] };
    } else if (line.trim() === open.fence) {
      const { line: at, language, marks, lines } = open;
      found.push({
        line: at,
        language,
        marks,
        code: `${lines.join("\n")}\n`,
        isRunnable: RUNNABLE.has(language) && marks.signature === undefined,
      });
      open = undefined;
    } else open.lines.push(line.slice(Math.min(open.indent, line.search(/\S|$/))));
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: a block is not closed`);
  return found;
}

/** The files that a page expects beside its snippets: `<!-- given: model.gguf, rows.jsonl -->`. */
export function givenFiles(text) {
  return [...text.matchAll(/<!-- given: ([^>]*?) -->/g)].flatMap(([, names]) =>
    names.split(/,\s*/).filter((name) => name !== ""),
  );
}

/** Reads the snippets of a file. */
export const snippetsIn = (path, page) => snippetsOf(readFileSync(path, "utf8"), page);
