// A published package names the address of a document, another one its path. Each case imports a
// copy of the module in a package of its own.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import ts from "typescript";

const work = mkdtempSync(join(tmpdir(), "r1-documents-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

async function addressIn(name: string, manifest: object): Promise<string> {
  const folder = join(work, name);
  mkdirSync(join(folder, "dist", "base"), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", ...manifest }));
  for (const file of ["documents", "package"]) {
    const source = fileURLToPath(new URL(`../../lib/base/${file}.ts`, import.meta.url));
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const { outputText } = ts.transpileModule(readFileSync(source, "utf8"), { compilerOptions });
    writeFileSync(join(folder, "dist", "base", `${file}.js`), outputText);
  }
  const { documentAddress } = (await import(
    pathToFileURL(join(folder, "dist", "base", "documents.js")).href
  )) as { documentAddress: (document: string) => string };
  return documentAddress("guide/gpu.md");
}

it("is an address where the package names its repository", async () => {
  const repository = { type: "git", url: "git+https://host.test/owner/name.git" };
  expect(await addressIn("published", { version: "1.2.3", repository })).toBe(
    "https://host.test/owner/name/blob/v1.2.3/docs/guide/gpu.md",
  );
});

it("is a path in the package where it names none", async () => {
  const path = join(work, "local", "docs", "guide", "gpu.md");
  expect(await addressIn("local", { version: "1.2.3" })).toBe(path);
});
