// The docs site: pages from site/pages, which scripts/docs/stage.mjs and TypeDoc write.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transformerTwoslash } from "@shikijs/vitepress-twoslash";
import { createFileSystemTypesCache } from "@shikijs/vitepress-twoslash/cache-fs";
import { defineConfig } from "vitepress";
import { root, sidebar } from "../pages.mjs";
import { slug } from "../slug.mjs";

const typedoc = join(root, "site", "pages", "api", "typedoc-sidebar.json");
const generated = existsSync(typedoc) ? JSON.parse(readFileSync(typedoc, "utf8")) : [];
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

export default defineConfig({
  title: "r1-native",
  description: "Run DeepSeek-R1 inside your Node process",
  lang: "en",
  base: process.env.R1_DOCS_BASE ?? "/",
  srcDir: join(root, "site", "pages"),
  outDir: join(root, "site", "dist"),
  cacheDir: join(root, "site", "cache"),
  cleanUrls: true,
  // No icon: otherwise each browser asks for /favicon.ico, and gets a 404.
  head: [["link", { rel: "icon", href: "data:," }]],
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify: slug },
    languageAlias: { haproxy: "nginx" },
    codeTransformers: [
      transformerTwoslash({
        explicitTrigger: true,
        // The pages are rendered twice, for the server and for the browser.
        typesCache: createFileSystemTypesCache({ dir: join(root, "site", "cache", "types") }),
        twoslashOptions: {
          compilerOptions: {
            target: 9,
            module: 199,
            moduleResolution: 99,
            strict: true,
            allowJs: true,
            lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
            types: ["node"],
            paths: {
              "r1-native": [join(root, "dist", "index.d.ts")],
              "r1-native/*": [join(root, "dist", "*.d.ts")],
            },
          },
        },
      }),
    ],
  },
  themeConfig: {
    outline: [2, 3],
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/guide/choose-a-model" },
      { text: "API", link: "/reference/api" },
      { text: "Program", link: "/reference/cli" },
      { text: "Errors", link: "/reference/errors" },
      { text: version, link: "/changelog" },
    ],
    sidebar: { "/api/": generated, "/": [...sidebar, { text: "Types", link: "/api/" }] },
  },
});
