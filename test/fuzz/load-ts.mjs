// Imports a TypeScript file of the tests into a fuzzer, which Node 20 cannot do by itself. The
// file's own imports of lib/ become those of dist/, so that one copy of the library runs.
import { readFileSync } from "node:fs";
import { pathToFileURL, fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = new URL("../../", import.meta.url);
const made = new Map();

/** Where an import of `file` leads. */
function resolved(specifier, file) {
  if (!specifier.startsWith(".")) return import.meta.resolve(specifier);
  const url = new URL(specifier, file).href;
  if (!url.startsWith(new URL("lib/", ROOT).href))
    return url.endsWith(".mjs") ? url : compiled(url.replace(/\.js$/, ".ts"));
  return url.replace(new URL("lib/", ROOT).href, new URL("dist/", ROOT).href);
}

function compiled(file) {
  const known = made.get(file);
  if (known !== undefined) return known;
  const { outputText } = ts.transpileModule(readFileSync(fileURLToPath(file), "utf8"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const code = outputText
    .replaceAll("import.meta.dirname", JSON.stringify(fileURLToPath(new URL(".", file))))
    .replaceAll(
      /(\bfrom\s+)"([^"]+)"/g,
      (_, from, specifier) => `${from}${JSON.stringify(resolved(specifier, file))}`,
    );
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  made.set(file, url);
  return url;
}

/** Imports `path`, relative to the root of the repository. */
export const loadTs = (path) =>
  import(compiled(pathToFileURL(fileURLToPath(new URL(path, ROOT))).href));
