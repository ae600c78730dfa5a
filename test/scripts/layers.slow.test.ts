// The architecture of lib/, and that its checker tells when it is broken. No addon needed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { checkLayers } from "../../scripts/check-layers.mjs";

const project = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const made: string[] = [];

/** A project with these files, and base/errors.ts and binding/native.ts to import. */
function projectOf(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "r1-layers-"));
  made.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
});

describe("the layers of lib/", () => {
  it("hold: imports go down and in no circle, the addon stays with its owners, no file is over 400 lines", () => {
    expect(checkLayers(project)).toEqual([]);
  });
});

describe("the checker of layers", () => {
  it("lets a file import from below and from its own folder", () => {
    const root = projectOf({
      "lib/engine/a.ts":
        'import { b } from "./b.js";\nimport { m } from "../weights/m.js";\nimport type { N } from "../binding/native.js";\n',
      "lib/sampling/s.ts": 'import type { N } from "../binding/native.js";\n',
    });
    // Types of the contract may cross into sampling/; the addon may not.
    expect(checkLayers(root)).toEqual([]);
  });

  it("lets a program import public entries, base/ and its own room", () => {
    const root = projectOf({
      "lib/hub.ts": 'export { h } from "./hub/h.js";\n',
      "lib/cli/x.ts":
        'import { h } from "../hub.js";\nimport { R1Error } from "../base/errors.js";\nimport { y } from "./y.js";\n',
    });
    expect(checkLayers(root)).toEqual([]);
  });

  const broken: [name: string, files: Record<string, string>, message: RegExp][] = [
    [
      "an upward import",
      { "lib/base/x.ts": 'import { loadModel } from "../model/model.js";\n' },
      /lib\/base\/x\.ts:1: imports model\/model\.ts/,
    ],
    [
      "an upward import of a type",
      { "lib/gguf/x.ts": 'import type { E } from "../engine/engine.js";\n' },
      /imports engine\/engine\.ts/,
    ],
    [
      "an upward export",
      { "lib/plan/x.ts": 'export * from "../model/session.js";\n' },
      /imports model\/session\.ts/,
    ],
    [
      "an upward import at run time",
      { "lib/hub/x.ts": 'export const f = () => import("../cli/main.js");\n' },
      /imports cli\/main\.ts/,
    ],
    [
      "an upward import of a type in passing",
      { "lib/hub/x.ts": 'export type T = import("../model/session.js").S;\n' },
      /imports model\/session\.ts/,
    ],
    [
      "a sideways import",
      { "lib/template/x.ts": 'import { s } from "../sampling/options.js";\n' },
      /may import only below it/,
    ],
    [
      "the addon in a program",
      { "lib/cli/x.ts": 'import { native } from "../binding/load.js";\n' },
      /may know the addon/,
    ],
    [
      "the addon in sampling/",
      { "lib/sampling/x.ts": 'import { native } from "../binding/load.js";\n' },
      /may know the addon/,
    ],
    [
      "the addon in gguf/ outside check/",
      { "lib/gguf/merge.ts": 'import { native } from "../binding/load.js";\n' },
      /may know the addon/,
    ],
    [
      "the insides of the library in a program",
      { "lib/cli/x.ts": 'import { Metadata } from "../gguf/metadata.js";\n' },
      /uses public entries and base\/ only/,
    ],
    [
      "a type from inside the library in a program",
      { "lib/server/x.ts": 'import type { EngineStats } from "../engine/engine.js";\n' },
      /uses public entries and base\/ only/,
    ],
    [
      "a circle",
      {
        "lib/plan/a.ts": 'import { b } from "./b.js";\n',
        "lib/plan/b.ts": 'import { c } from "./c.js";\n',
        "lib/plan/c.ts": 'import type { A } from "./a.js";\n',
      },
      /a circle: plan\/a\.ts -> plan\/b\.ts -> plan\/c\.ts -> plan\/a\.ts/,
    ],
    ["a barrel", { "lib/model/index.ts": "export {};\n" }, /has no index/],
    [
      "a public entry from below",
      { "lib/model/x.ts": 'import { loadModel } from "../index.js";\n' },
      /a public entry, which only/,
    ],
    [
      "code in a public entry",
      { "lib/files.ts": "export const version = 1;\n" },
      /holds exports from other files and nothing else/,
    ],
    [
      "an entry in another entry",
      { "lib/files.ts": 'export { loadModel } from "./index.js";\n' },
      /another public entry/,
    ],
    ["a folder of no layer", { "lib/utils/x.ts": "export {};\n" }, /in no layer/],
    [
      "an import from outside lib/",
      { "lib/base/x.ts": 'import "../../test/x.js";\n' },
      /outside lib/,
    ],
    [
      "Node-API in the core",
      { "native/core/x.cpp": "#include <napi.h>\n" },
      /native\/core\/x\.cpp: includes napi\.h/,
    ],
    [
      "a wrapper in the core",
      { "native/core/x.cpp": '#include "wrap/engine_wrap.h"\n' },
      /includes wrap\/engine_wrap\.h/,
    ],
    ["llama.cpp in a wrapper", { "native/wrap/x.h": "#include <llama.h>\n" }, /includes llama\.h/],
    [
      "the core's insides in napi/",
      { "native/napi/x.h": '#include "core/engine/engine.h"\n' },
      /includes core\/engine\/engine\.h/,
    ],
    [
      "the engine in a sampler",
      { "native/core/sampling/x.h": '#include "core/engine/engine.h"\n' },
      /core\/engine\/engine\.h, which is not below core\/sampling/,
    ],
    ["a file of 481 lines", { "native/core/x.cpp": "// x\n".repeat(481) }, /481 lines/],
  ];

  it.each(broken)("tells %s", (_name, files, message) => {
    const wrong = checkLayers(projectOf(files));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toMatch(message);
  });
});
