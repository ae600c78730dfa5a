// `npm run docs`: builds the docs site into site/dist from the documents and the public types, and
// fails on dead links and anchors and on anything that a page would load from another host.
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { main, show } from "../build/process.mjs";
import { checkSite } from "./check-site.mjs";
import { llmsTexts } from "./llms.mjs";
import { groups, root } from "./pages.mjs";
import { stage } from "./stage.mjs";

const require = createRequire(import.meta.url);
const site = join(root, "site");

/** The program of a package, by the `bin` of its package.json. */
function program(name) {
  const folder = dirname(require.resolve(`${name}/package.json`));
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[name]);
}

/** TypeDoc names an entry of the package by its file; readers know it by what they import. */
function nameEntries(api) {
  const nameOf = (entry) => (entry === "index" ? "r1-native" : `r1-native/${entry}`);
  const entries = readdirSync(api, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  for (const entry of entries) {
    const path = join(api, entry, "index.md");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/^# .*$/m, `# ${nameOf(entry)}`));
  }
  const lines = entries.map((entry) => `- [${nameOf(entry)}](${entry}/index.md)`);
  writeFileSync(
    join(api, "index.md"),
    `# Types\n\nEvery public name by the entry that exports it, made from the sources. The\n` +
      `[API reference](../reference/api.md) explains how they work together.\n\n${lines.join("\n")}\n`,
  );
  const path = join(api, "typedoc-sidebar.json");
  const sidebar = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(
    path,
    JSON.stringify(sidebar.map((item) => ({ ...item, text: nameOf(item.text) }))),
  );
}

await main(async () => {
  const startedAt = Date.now();
  rmSync(site, { recursive: true, force: true });
  const folder = join(root, "scripts", "docs");
  await show(process.execPath, [program("typedoc"), "--options", join(folder, "typedoc.json")], {
    cwd: root,
    failure: "TypeDoc could not read the public types",
  });
  nameEntries(join(site, "pages", "api"));
  stage(join(site, "pages"));
  await show(process.execPath, [program("vitepress"), "build", folder], {
    cwd: root,
    failure: "VitePress could not build the site",
  });
  const dist = join(site, "dist");
  // Each page also as the Markdown that it was made of, for programs that read it.
  for (const { pages } of groups)
    for (const { target } of pages) cpSync(join(site, "pages", target), join(dist, target));
  for (const [name, text] of Object.entries(llmsTexts(join(site, "pages"))))
    writeFileSync(join(dist, name), text);
  const { pages, links } = checkSite(dist);
  const files = readdirSync(dist, { recursive: true }).length;
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  console.log(
    `site/dist: ${pages} pages, ${files} files, ${links} links without a dead one, ${seconds} s`,
  );
});
