// What the packages contain, as npm packs them: the main one from this tree, that of the platform
// from the addon that was built last.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contentsOf, copyOwnBuild, LIMITS, stageLibraries } from "../../scripts/packages/stage.mjs";
import type { Contents } from "../../scripts/packages/stage.mjs";
import { ownPlatform, targetOf } from "../../scripts/packages/targets.mjs";
import type { Manifest, Target } from "../../scripts/packages/targets.mjs";

const root = resolve(import.meta.dirname, "..", "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest & {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
};

/** All that belongs in the main package, by place. */
const PLACES: readonly RegExp[] = [
  /^(README|CHANGELOG|THIRD_PARTY_NOTICES)\.md$/,
  /^(LICENSE|package\.json|binding\.gyp|CMakeLists\.txt)$/,
  /^dist\/.*\.(js|d\.ts|js\.map)$/,
  /^dist\/binding\/platform-files\.(cjs|d\.cts|cjs\.map)$/,
  /^docs\/[\w./-]+\.md$/,
  /^models\/tiny-r1\.gguf$/,
  /^man\/r1-native\.1$/,
  // The source that `r1-native build` compiles.
  /^native\/(CMakeLists\.txt|mingw\.cmake|.*\.(cpp|h))$/,
  /^scripts\/(build|vendor)\.mjs$/,
  /^scripts\/build\/.*\.(mjs|gypi|cmake|h)$/,
  /^vendor\/(README\.md|llama\.cpp\.lock\.json)$/,
  /^vendor\/llama\.cpp\/(\.r1-commit|CMakeLists\.txt|LICENSE|licenses\/LICENSE-\w+)$/,
  /^vendor\/llama\.cpp\/(cmake|include|src|ggml|vendor)\/.*/,
];

/** Nothing like this belongs in any package. */
const STRAY =
  /(^|\/)(test|tests|(?<!dist\/cli\/)bench|examples|node_modules|\.git[a-z]*)\/|\.(log|tgz|o|a|tsbuildinfo|env|npmrc)$/;

const paths = ({ files }: Contents): string[] => files.map(({ path }) => path).sort();

describe("the main package", () => {
  let packed: Contents;
  beforeAll(() => void (packed = contentsOf(root)), 600_000);

  it("has files of known places only", () => {
    const strangers = paths(packed).filter((path) => !PLACES.some((place) => place.test(path)));
    expect(strangers).toEqual([]);
    expect(paths(packed).filter((path) => STRAY.test(path))).toEqual([]);
  });

  it("has what its entries, types and commands name", () => {
    const entries = Object.values(manifest.exports)
      .flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))
      .map((path) => path.replace(/^\.\//, ""));
    const named = [...entries, ...Object.values(manifest.bin)];
    expect(paths(packed)).toEqual(expect.arrayContaining(named));
  });

  it("has the compiled form of every module", () => {
    const modules = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `dist/${name.replace(/\.ts$/, ".js").replaceAll("\\", "/")}`);
    expect(paths(packed)).toEqual(expect.arrayContaining(modules));
  });

  it("carries the licences of the code of others", () => {
    expect(paths(packed)).toEqual(
      expect.arrayContaining(["LICENSE", "THIRD_PARTY_NOTICES.md", "vendor/llama.cpp/LICENSE"]),
    );
  });

  it("is at most 12 MB", () => {
    expect(packed.size).toBeLessThanOrEqual(LIMITS.main);
    expect(LIMITS.main).toBe(12e6);
  });
});

describe.runIf(process.platform === "linux")("the package of this platform", () => {
  const work = mkdtempSync(join(tmpdir(), "r1-contents-"));
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  let packed: Contents;
  beforeAll(() => {
    const target = targetOf(ownPlatform()) as Target;
    const from = copyOwnBuild(root, join(work, "own"));
    stageLibraries(root, manifest, target, { from, folder: join(work, "package") });
    packed = contentsOf(join(work, "package"));
  }, 600_000);

  it("has the addon, its libraries and the licences, and nothing else", () => {
    const cpu = /^libggml-cpu(-\w+)?\.so$/;
    const names = paths(packed);
    expect(names.filter((name) => cpu.test(name)).length).toBeGreaterThan(0);
    // A build with CUDA has that library too.
    const others = names.filter((name) => !cpu.test(name) && name !== "libggml-cuda.so");
    expect(others).toEqual([
      "LICENSE",
      "README.md",
      "THIRD_PARTY_NOTICES.md",
      "libggml-base.so",
      "libggml-rpc.so",
      "libggml.so",
      "libgomp.so.1",
      "libllama.so",
      "package.json",
      "r1-native.node",
    ]);
  });

  it("has no scripts in its manifest", () => {
    const made = JSON.parse(readFileSync(join(work, "package", "package.json"), "utf8")) as object;
    expect(made).not.toHaveProperty("scripts");
    expect(made).not.toHaveProperty("dependencies");
  });

  it("is at most 12 MB", () => {
    expect(packed.size).toBeLessThanOrEqual(LIMITS.platform);
    expect(LIMITS.platform).toBe(12e6);
  });
});
