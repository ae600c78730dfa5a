// Runs the compiler over the type tests.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

describe("the types of the public face", () => {
  it("accept what is right and refuse what is wrong", () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const compiler = fileURLToPath(
      new URL("../../node_modules/typescript/bin/tsc", import.meta.url),
    );
    const settings = [
      "--noEmit",
      "--allowJs",
      "--strict",
      "--exactOptionalPropertyTypes",
      "--skipLibCheck",
      "--target",
      "es2022",
      "--lib",
      "es2023,esnext.disposable",
      "--module",
      "nodenext",
      "--types",
      "node",
    ];
    const run = (): string => {
      try {
        return execFileSync(
          process.execPath,
          [compiler, ...settings, "test/public/public-face.ts"],
          { cwd: root, encoding: "utf8" },
        );
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    expect(run()).toBe("");
    // Seconds on an idle machine; the compiler gets its turn late where much else runs.
  }, 300_000);
});
