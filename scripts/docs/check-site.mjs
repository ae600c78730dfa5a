// Checks a built site: every link and anchor inside it exists, and no page loads anything from
// another host.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { parseHTML } from "linkedom";
import { BuildError } from "../build/process.mjs";

/** Elements that load something when a page is shown, and the attribute that says what. */
const LOADING = {
  "script[src]": "src",
  "img[src]": "src",
  "iframe[src]": "src",
  "source[src]": "src",
  "link[rel~=stylesheet]": "href",
  "link[rel~=preload]": "href",
  "link[rel~=modulepreload]": "href",
  "link[rel~=icon]": "href",
};

/** The file that an address on the site shows. */
function fileOf(dist, path) {
  for (const name of [path, `${path}.html`, posix.join(path, "index.html")])
    if (/\.\w+$/.test(name) && existsSync(join(dist, name))) return name;
  return undefined;
}

/**
 * Checks all pages of a folder.
 *
 * @returns The number of pages, and of links between them.
 * @throws {BuildError} with every fault.
 */
export function checkSite(dist, base = process.env.R1_DOCS_BASE ?? "/") {
  const names = readdirSync(dist, { recursive: true, encoding: "utf8" });
  const documents = new Map(
    names
      .filter((name) => name.endsWith(".html"))
      .map((name) => [name, parseHTML(readFileSync(join(dist, name), "utf8")).document]),
  );
  const faults = [];
  let links = 0;
  for (const [name, document] of documents) {
    for (const [selector, attribute] of Object.entries(LOADING))
      for (const element of document.querySelectorAll(selector))
        if (/^(https?:)?\/\//.test(element.getAttribute(attribute) ?? ""))
          faults.push(`${name} loads ${element.getAttribute(attribute)}`);
    for (const anchor of document.querySelectorAll("a[href]")) {
      const href = anchor.getAttribute("href");
      if (/^[a-z]+:/.test(href)) continue;
      links++;
      const [path, hash] = href.split("#");
      const at =
        path === ""
          ? name
          : path.startsWith(base)
            ? path.slice(base.length)
            : posix.join(posix.dirname(name), path);
      const file = path === "" ? name : fileOf(dist, at === "" ? "index.html" : at);
      if (file === undefined) faults.push(`${name} links to ${href}`);
      else if (hash !== undefined && hash !== "" && documents.has(file)) {
        const id = decodeURIComponent(hash);
        if (documents.get(file).getElementById(id) === null)
          faults.push(`${name} links to ${href}, which has no such heading`);
      }
    }
  }
  for (const name of names.filter((file) => file.endsWith(".css"))) {
    const text = readFileSync(join(dist, name), "utf8");
    for (const [, url] of text.matchAll(/(?:url\(|@import )["']?((?:https?:)?\/\/[^"')]+)/g))
      faults.push(`${relative(dirname(dist), name)} loads ${url}`);
  }
  if (faults.length > 0)
    throw new BuildError(
      `the site has ${faults.length} faults:\n${[...new Set(faults)].join("\n")}`,
    );
  return { pages: documents.size, links };
}
