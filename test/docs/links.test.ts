// The links between the documents lead to files and headings that exist.
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { uniqueSlugs } from "../../scripts/docs/slug.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

function pagesIn(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (name === "node_modules" || name.startsWith(".")) return [];
    if (statSync(join(root, path)).isDirectory()) return pagesIn(path);
    return name.endsWith(".md") ? [path] : [];
  });
}

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md") && !name.startsWith("THIRD_PARTY")),
  ...["docs", "examples", "test", "native/test", "bench"].flatMap(pagesIn),
  "vendor/README.md",
  "prebuilds/README.md",
].filter((path) => existsSync(join(root, path)));

/** A page without its code, in which brackets mean something else. */
function prose(path: string): string {
  return readFileSync(path, "utf8")
    .replace(/^( *)(```|~~~)[^]*?^\1\2 *$/gm, "")
    .replace(/`[^`]*`/g, (code) => code.replaceAll(/[[\]()]/g, ""));
}

function anchors(path: string): Set<string> {
  const unique = uniqueSlugs();
  const found = new Set<string>();
  const text = readFileSync(path, "utf8").replace(/^( *)(```|~~~)[^]*?^\1\2 *$/gm, "");
  for (const [, heading = ""] of text.matchAll(/^#{1,6} +(.*?)(?: +#+)?$/gm))
    found.add(unique(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "")));
  return found;
}

const isSource = (path: string): boolean => /\.(md|markdown)$/.test(path);

describe("the documents", () => {
  it("are found", () => {
    for (const page of ["README.md", "docs/README.md", "docs/reference/api.md", "test/README.md"])
      expect(pages).toContain(page);
  });

  it.each(pages)("%s links only to files and headings that exist", (page) => {
    const path = join(root, page);
    const dead: string[] = [];
    const links = [...prose(path).matchAll(/\]\(\s*<?([^)\s>]+)>?\)/g)].map(
      ([, link = ""]) => link,
    );
    for (const link of links.filter((target) => !/^[a-z]+:/.test(target))) {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : resolve(dirname(path), file);
      if (!existsSync(target)) dead.push(link);
      else if (anchor !== undefined && isSource(target) && !anchors(target).has(anchor))
        dead.push(link);
    }
    expect(dead).toEqual([]);
  });

  it("are all reachable from the list of documents by task", () => {
    const seen = new Set<string>();
    const queue = [join(root, "docs/README.md")];
    for (let page = queue.pop(); page !== undefined; page = queue.pop()) {
      if (seen.has(page)) continue;
      seen.add(page);
      for (const [, link = ""] of prose(page).matchAll(/\]\(\s*([^)\s#]+)/g)) {
        const target = resolve(dirname(page), link);
        if (!existsSync(target)) continue;
        if (isSource(target)) queue.push(target);
        else if (statSync(target).isDirectory())
          queue.push(...pagesIn(relative(root, target)).map((name) => join(root, name)));
      }
    }
    const lost = pagesIn("docs").filter((page) => !seen.has(join(root, page)));
    expect(lost).toEqual([]);
  });
});
