// What `import "r1-native"` loads: no package and none of the rooms that only some programs need.
// Uses dist/.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const DIST = new URL("../../dist/", import.meta.url).href;

/** Prints the address of each module that is loaded after it. */
const RECORDER = `import { register } from "node:module";
const hooks = \`import { writeSync } from "node:fs";
export async function load(url, context, next) {
  writeSync(1, url + "\\\\n");
  return next(url, context);
}\`;
register("data:text/javascript," + encodeURIComponent(hooks));`;

/** The modules that importing an entry loads, named as in dist/; packages as node_modules/NAME. */
function loadedBy(entry: string): string[] {
  const recorder = `data:text/javascript,${encodeURIComponent(RECORDER)}`;
  const code = `await import(${JSON.stringify(`${DIST}${entry}.js`)});
    const { createRequire } = await import("node:module");
    for (const path of Object.keys(createRequire(import.meta.url).cache)) console.log("file://" + path);`;
  const output = execFileSync(
    process.execPath,
    ["--import", recorder, "--input-type=module", "-e", code],
    { cwd: fileURLToPath(new URL("../..", import.meta.url)), encoding: "utf8" },
  );
  return output
    .split("\n")
    .filter((url) => url.startsWith("file:"))
    .map((url) =>
      url.startsWith(DIST) ? url.slice(DIST.length) : url.replace(/^.*(node_modules\/)/, "$1"),
    );
}

const packagesIn = (modules: readonly string[]): string[] =>
  modules.filter((name) => name.startsWith("node_modules/"));
const roomsIn = (modules: readonly string[]): string[] => [
  ...new Set(modules.filter((name) => name.includes("/")).map((name) => name.split("/")[0] ?? "")),
];

describe("importing r1-native", () => {
  const loaded = loadedBy("index");

  it("loads no package", () => {
    expect(loaded).toContain("index.js");
    expect(packagesIn(loaded)).toEqual([]);
  });

  it("loads what checks the options of a load, devices, and no engine, grammar, file or Hub code", () => {
    expect(loaded).toContain("weights/normalize-load.js");
    const lazy = ["engine", "isolation", "gguf", "grammar", "plan", "doctor", "quantize"];
    expect(roomsIn(loaded).filter((room) => lazy.includes(room))).toEqual([]);
    expect(loaded.filter((name) => /^(hub|model|template)\//.test(name)).sort()).toEqual([
      "hub/reference.js",
      "model/load-model.js",
      "model/model-path.js",
      "template/from-ai-sdk.js",
      "template/from-openai.js",
      "template/refuse-message.js",
    ]);
  });

  it("loads at most 60 modules", () => {
    expect(loaded.length).toBeLessThanOrEqual(60);
  });
});

describe.each(["files", "hub", "plan"])("importing r1-native/%s", (entry) => {
  it("loads no package, and no engine", () => {
    const loaded = loadedBy(entry);
    expect(loaded).toContain(`${entry}.js`);
    expect(packagesIn(loaded)).toEqual([]);
    expect(roomsIn(loaded)).not.toContain("engine");
  });
});
