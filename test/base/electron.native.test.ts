// A program that uses r1-native in Electron. A wrapper plays Electron's program: without
// ELECTRON_RUN_AS_NODE it would start the app again, and fails instead.
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "r1-electron-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("children that compile a schema or hold an engine start as Node", async () => {
  const electron = join(folder, "electron");
  writeFileSync(
    electron,
    `#!/bin/sh
[ "$ELECTRON_RUN_AS_NODE" = 1 ] || { echo "a second app was started" >&2; exit 87; }
echo started >> "${join(folder, "starts")}"
exec "${process.execPath}" "$@"
`,
  );
  chmodSync(electron, 0o755);
  const app = join(folder, "app.mjs");
  const index = pathToFileURL(resolve(import.meta.dirname, "../../dist/index.js"));
  writeFileSync(
    app,
    `import { readFileSync } from "node:fs";
process.execPath = ${JSON.stringify(electron)};
Object.defineProperty(process, "versions", { value: { ...process.versions, electron: "39.0.0" } });
process.type = "browser";
const { loadModel } = await import(${JSON.stringify(index.href)});
const isolated = await loadModel(undefined, { isolation: "process" });
await isolated.close();
const model = await loadModel();
const schema = { type: "object", properties: { sum: { type: "integer" } }, required: ["sum"], patternProperties: { "^x-": { type: "string" } } };
const run = model.chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0, response: { schema } });
const { answer } = await run.result();
await model.close();
const starts = readFileSync(${JSON.stringify(join(folder, "starts"))}, "utf8").match(/started/g).length;
console.log(JSON.stringify({ sum: typeof JSON.parse(answer).sum, starts }));
`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [app]);
  const { sum, starts } = JSON.parse(stdout) as { sum: string; starts: number };
  expect(sum).toBe("number");
  expect(starts).toBeGreaterThanOrEqual(2);
});
