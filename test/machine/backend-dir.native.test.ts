// Where backend libraries are looked for, and what bad ones lead to: one warning and a model on the
// CPU, never the end of the process. Each case in a process of its own.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { devices } from "../../lib/machine/devices.js";
import {
  ADDON_FOLDER,
  answerWith,
  compileBackend,
  copyStart,
  folderWith,
} from "../fixtures/backend-libraries.js";
import { loadTiny } from "../fixtures/tiny.js";

let root: string;
let expected: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "r1-native-backends-"));
  const model = await loadTiny({ contextSize: 512 });
  expected = (
    await model
      .chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0, maxTokens: 8 })
      .result()
  ).text;
  await model.close();
});
afterAll(() => rmSync(root, { recursive: true }));

const REG =
  'static struct ggml_backend_reg reg; const char * name(ggml_backend_reg_t r) { return "Fake"; } size_t none(ggml_backend_reg_t r) { return 0; }';

const CASES: readonly [what: string, make: (path: string) => void, reason: RegExp][] = [
  ["a text", (path) => writeFileSync(path, "not a library\n"), /file too short|invalid ELF header/],
  ["an empty file", (path) => writeFileSync(path, ""), /file too short/],
  ["a folder of that name", (path) => mkdirSync(path), /cannot read file data|directory/i],
  ["half a library", (path) => copyStart(join(ADDON_FOLDER, "libggml-rpc.so"), path, 0.5), /./],
  [
    "nine tenths of a library",
    (path) => copyStart(join(ADDON_FOLDER, "libggml-rpc.so"), path, 0.9),
    /./,
  ],
  [
    "a library that is no backend",
    (path) => copyStart(join(ADDON_FOLDER, "libggml-base.so"), path, 1),
    /failed to find ggml_backend_init/,
  ],
  [
    "a library that lacks another one",
    (path) =>
      compileBackend(
        path,
        "return missing_elsewhere();",
        "ggml_backend_reg_t missing_elsewhere(void);",
      ),
    /undefined symbol: missing_elsewhere/,
  ],
  [
    "a backend that finds nothing to work with",
    (path) => compileBackend(path, "return NULL;"),
    /returned NULL/,
  ],
  [
    "a backend of another interface version",
    (path) =>
      compileBackend(path, "reg.api_version = GGML_BACKEND_API_VERSION - 1; return &reg;", REG),
    /incompatible API version \(backend: 1, current: 2\)/,
  ],
  [
    "a backend for another machine",
    (path) => compileBackend(path, "return NULL;", "int ggml_backend_score(void) { return 0; }"),
    /does not support this machine/,
  ],
  [
    "a backend without a device",
    (path) =>
      compileBackend(
        path,
        "reg.api_version = GGML_BACKEND_API_VERSION; reg.iface.get_name = name; reg.iface.get_device_count = none; return &reg;",
        REG,
      ),
    /finds no device/,
  ],
  [
    "a backend that aborts",
    (path) => compileBackend(path, 'fprintf(stderr, "no such driver\\n"); abort();'),
    /was ended by SIGABRT; its last output: no such driver/,
  ],
  [
    "a backend that reads wild memory",
    (path) => compileBackend(path, "return *(ggml_backend_reg_t *) 16;"),
    /was ended by SIGSEGV/,
  ],
  [
    "a backend that ends the process while it is loaded",
    (path) =>
      compileBackend(
        path,
        "return NULL;",
        "__attribute__((constructor)) static void leave(void) { exit(7); }",
      ),
    /ended with exit code 7/,
  ],
];

describe("backendDir with", () => {
  it.each(CASES)("%s gives the CPU's answer and one warning", async (what, make, reason) => {
    const folder = folderWith(root, what.replaceAll(" ", "-"), make);
    const { code, signal, warnings, devices: used, text } = await answerWith(folder);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(join(folder, "libggml-vulkan.so"));
    expect(warnings[0]).toMatch(reason);
    expect(used).toEqual(["CPU"]);
    expect(text).toBe(expected);
  });

  it.each(["a text", "a backend that aborts", "a backend without a device"])(
    "%s does so in a process of its own too",
    async (what) => {
      const [, make, reason] = CASES.find(([name]) => name === what) ?? [];
      if (make === undefined || reason === undefined) throw new Error(what);
      const folder = folderWith(root, `isolated-${what.replaceAll(" ", "-")}`, make);
      const { code, signal, warnings, text } = await answerWith(folder, { isolation: "process" });
      expect({ code, signal, text }).toEqual({ code: 0, signal: null, text: expected });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(reason);
      expect(warnings[0]).toContain("Continuing without it, on: CPU.");
    },
  );

  it("a bad library tells the logger of each load once, and then not the process", async () => {
    const folder = folderWith(root, "logged", (path) => writeFileSync(path, "no library"));
    const { code, warnings, logged } = await answerWith(folder, { withLogger: true });
    expect(code).toBe(0);
    expect(warnings).toEqual([]);
    expect(logged).toHaveLength(2); // two loads
  });

  it("nothing in it loads nothing, which is said once", async () => {
    const folder = join(root, "nothing");
    mkdirSync(folder);
    writeFileSync(join(folder, "readme.txt"), "libggml-vulkan.so is not here");
    const { code, warnings, text } = await answerWith(folder);
    expect([code, text]).toEqual([0, expected]);
    expect(warnings).toEqual([expect.stringContaining("no backend library in it")]);
  });

  it.each(["a file", "nothing"])("%s at its path is refused with a typed error", async (what) => {
    const path = join(root, "plain");
    if (what === "a file") writeFileSync(path, "");
    else rmSync(path, { force: true });
    await expect(loadTiny({ backendDir: path })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      details: { option: "backendDir", path },
    });
    expect(() => devices({ backendDir: path })).toThrow(/`backendDir` is .* not a folder/);
  });

  it("no string is refused", async () => {
    await expect(loadTiny({ backendDir: "" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(loadTiny({ backendDir: 1 as unknown as string })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(() => devices({ backend: "x" } as object)).toThrow(/did you mean `backendDir`/i);
  });
});

describe("the working directory and node's own folder", () => {
  it("are never searched", async () => {
    const mark = join(root, "mark");
    const folder = folderWith(root, "cwd", (path) =>
      compileBackend(
        path,
        "return NULL;",
        `__attribute__((constructor)) static void tell(void) { fclose(fopen(${JSON.stringify(mark)}, "w")); }`,
      ),
    );
    const empty = join(root, "empty");
    mkdirSync(empty);
    expect(await answerWith(empty, { cwd: folder })).toMatchObject({
      code: 0,
      warnings: [expect.stringContaining("no backend library in it")],
      text: expected,
    });
    expect(existsSync(mark)).toBe(false);
    // The mark is a mark: named as backendDir, the library is loaded.
    await answerWith(folder);
    expect(existsSync(mark)).toBe(true);
  });
});
