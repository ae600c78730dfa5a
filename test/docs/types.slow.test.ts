// The types that docs/reference/api.md shows in full are those that the library exports.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, it } from "vitest";
import { snippetsIn } from "../../scripts/docs/snippets.mjs";
import { USER_OPTIONS } from "../fixtures/compiler-options.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = "docs/reference/api.md";

/** Types that users write or read most, which the page must have. */
const WHOLE = [
  "ChatMessage",
  "ChatMessageInput",
  "ContentPart",
  "GenerationResult",
  "Part",
  "TokenLogprob",
  "ToolCall",
  "ToolChoice",
  "ToolDefinition",
];

/** What the compiler says about a module of lib/ that exists in memory only. */
function faults(text: string): string[] {
  const path = join(root, "lib", "types-of-the-page.ts");
  const options: ts.CompilerOptions = { ...USER_OPTIONS, allowJs: true };
  const host = ts.createCompilerHost(options);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (name) => name === path || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022)
      : getSourceFile(name, ...rest);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

const declarations = snippetsIn(join(root, page), page)
  .filter(({ code, marks }) => marks["signature"] === true && /^(interface|type) /.test(code))
  .map(({ code }) => code)
  .join("\n");
const exported = new Set(
  [...readFileSync(join(root, "lib/index.ts"), "utf8").matchAll(/\b\w+\b/g)].map(([name]) => name),
);
const names = [...declarations.matchAll(/^(?:interface|type) (\w+)( |<)/gm)]
  .map(([, name = "", generic]) => ({ name, isGeneric: generic === "<" }))
  .filter(({ name }) => exported.has(name));

const compare = (shown: string): string =>
  [
    'import type * as Library from "./index.js";',
    "declare namespace Page {",
    shown,
    "}",
    "type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;",
    ...names
      .filter(({ name, isGeneric }) => !isGeneric && name !== "Generation" && name !== "Model")
      .map(
        ({ name }, i) =>
          `export const same${i}: Both<Page.${name}, Library.${name}> = true; // ${name}`,
      ),
  ].join("\n");

it("shows in full what conversations, tools and results are made of", () => {
  expect(names.map(({ name }) => name)).toEqual(expect.arrayContaining(WHOLE));
});

it("shows types that can stand for the library's own, and the other way round", () => {
  expect(faults(compare(declarations))).toEqual([]);
});

it("would notice a field that only one of them has", () => {
  expect(faults(compare(declarations.replace("cachedTokens: number;", "")))).not.toEqual([]);
});
