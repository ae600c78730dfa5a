// What the docs site and the run of the snippets are made with: blocks and their marks, links of
// staged pages, and the check of a built site, which finds faults that are put there.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { checkSite } from "../../scripts/docs/check-site.mjs";
import { pages, root } from "../../scripts/docs/pages.mjs";
import { slug, uniqueSlugs } from "../../scripts/docs/slug.mjs";
import { givenFiles, snippetsOf } from "../../scripts/docs/snippets.mjs";
import { stagedText } from "../../scripts/docs/stage.mjs";
import { missingLines } from "../snippets/run-snippet.js";

const fenced = (info: string, code: string): string => `\`\`\`${info}\n${code}\n\`\`\`\n`;

describe("the snippets of a page", () => {
  it("have a line, a language and marks", () => {
    const text = `# A\n\n${fenced('sh not-run="needs a GPU"', "ls")}${fenced("ts signature", "a()")}`;
    expect(snippetsOf(text, "a.md")).toEqual([
      {
        line: 3,
        language: "sh",
        marks: { "not-run": "needs a GPU" },
        code: "ls\n",
        isRunnable: true,
      },
      { line: 6, language: "ts", marks: { signature: true }, code: "a()\n", isRunnable: false },
    ]);
  });

  it("are refused with a mark that is not known, or without an end", () => {
    expect(() => snippetsOf(fenced("sh norun", "ls"), "a.md")).toThrow("a.md:1: the mark norun");
    expect(() => snippetsOf(fenced("sh not-run", "ls"), "a.md")).toThrow("not-run");
    expect(() => snippetsOf("text\n```sh\nls\n", "a.md")).toThrow("a.md:2: a block is not closed");
  });

  it("may expect files beside them", () => {
    expect(givenFiles("<!-- given: a.gguf, b = c/d -->")).toEqual(["a.gguf", "b = c/d"]);
  });
});

describe("an output that a page shows", () => {
  it("is compared line by line, with any text for three dots", () => {
    expect(missingLines("a ... c\nlast\n", "first\na  b  c\nlast\n")).toEqual([]);
    expect(missingLines("last\na\n", "a\nlast\n")).toEqual(["a"]);
    expect(missingLines("call { a: ... }", "call { b: 1 }")).toEqual(["call { a: ... }"]);
  });
});

describe("an anchor", () => {
  it("is GitHub's", () => {
    expect(slug("llama-server's flags")).toBe("llama-servers-flags");
    expect(slug("A — B, 中文")).toBe("a--b-中文");
    const unique = uniqueSlugs();
    expect([unique("Tests"), unique("Tests")]).toEqual(["tests", "tests-1"]);
  });
});

describe("a staged page", () => {
  const page = { source: "docs/guide/gpu.md", target: "guide/gpu.md" };
  afterEach(() => vi.unstubAllEnvs());

  it("links to pages of the site, and to no file that is not one", () => {
    vi.stubEnv("R1_REPOSITORY", undefined);
    vi.stubEnv("GITHUB_REPOSITORY", undefined);
    expect(stagedText("[a](../reference/api.md#model), [b](../../CONTRIBUTING.md)", page)).toBe(
      "[a](../reference/api.md#model), [b](../inside/contributing.md)",
    );
    expect(stagedText("[start](../../examples/start.mjs)", page)).toBe("start");
  });

  it("links to files in the repository where its address is known", () => {
    vi.stubEnv("R1_REPOSITORY", "https://host.test/owner/name");
    expect(stagedText("[start](../../examples/start.mjs)", page)).toBe(
      "[start](https://host.test/owner/name/blob/main/examples/start.mjs)",
    );
  });

  it("names the file that links to nothing", () => {
    expect(() => stagedText("[a](nothing.md)", page)).toThrow(
      "docs/guide/gpu.md links to nothing.md",
    );
  });

  it("shows types in programs, with the hidden beginning of one that goes on", () => {
    const text =
      fenced("ts", "const a = 1;") + fenced("ts continued", "a;") + fenced("sh server", "ls");
    expect(stagedText(text, page)).toBe(
      fenced("ts twoslash", "const a = 1;") +
        fenced("ts twoslash", "const a = 1;\n// ---cut---\na;") +
        fenced("sh", "ls"),
    );
  });

  it("has no comments of the source, except in code", () => {
    expect(stagedText("<!-- fields: a -->\n\n`<!-- b -->`", page)).toBe("`<!-- b -->`");
  });
});

describe("the pages of the site", () => {
  it("are all documents, each in one place", () => {
    const sources = pages.map(({ source }) => source);
    const documents = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`);
    expect(sources).toEqual(expect.arrayContaining(documents));
    expect(new Set(pages.map(({ target }) => target)).size).toBe(pages.length);
    for (const { title, source } of pages) expect(title.length, source).toBeGreaterThan(2);
  });
});

describe("the check of a site", () => {
  const dist = mkdtempSync(join(tmpdir(), "r1-site-"));
  afterAll(() => rmSync(dist, { recursive: true, force: true }));
  const html = (body: string): string => `<!doctype html><html><body>${body}</body></html>`;

  it("takes links to pages, folders and anchors that exist", () => {
    mkdirSync(join(dist, "guide"));
    writeFileSync(
      join(dist, "index.html"),
      html('<a href="/guide/a#b">a</a><a href="#c" id="c"></a>'),
    );
    writeFileSync(join(dist, "guide", "a.html"), html('<h2 id="b">b</h2><a href="/">home</a>'));
    expect(checkSite(dist)).toEqual({ pages: 2, links: 3 });
  });

  it("names dead links, dead anchors, and what comes from another host", () => {
    writeFileSync(
      join(dist, "bad.html"),
      html(
        '<a href="/guide/b">1</a><a href="/guide/a#c">2</a><script src="https://host.test/x.js"></script>',
      ),
    );
    writeFileSync(join(dist, "a.css"), "@import url(https://host.test/font.css);");
    expect(() => checkSite(dist)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /4 faults[^]*loads https:\/\/host\.test\/x\.js[^]*\/guide\/b[^]*no such heading[^]*font\.css/,
        ) as string,
      }) as Error,
    );
  });
});
