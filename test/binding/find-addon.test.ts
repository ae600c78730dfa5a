// What a user reads when no addon is found: the cause, and the command to run. No addon needed.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { explainAbsence } from "../../lib/binding/find-addon.js";
import type { Installation } from "../../lib/binding/find-addon.js";
import { packageName, platformName, PLATFORMS } from "../../lib/binding/platform-package.js";
import { ALL_TARGETS, PLATFORMS as PACKED } from "../../scripts/packages/targets.mjs";

const installation: Installation = {
  platform: "linux-x64",
  version: "1.2.3",
  isClone: false,
  own: undefined,
  others: [],
};

const own = { name: "@r1-native/linux-x64", folder: "/n", version: "1.2.2" };

const cases: [situation: string, changed: Partial<Installation>, reason: RegExp, advice: RegExp][] =
  [
    [
      "optional dependencies were left out",
      {},
      /@r1-native\/linux-x64 is not installed/,
      /`npm install --include=optional --save-optional @r1-native\/linux-x64@1\.2\.3`/,
    ],
    [
      "the package is for another system",
      { others: ["@r1-native/darwin-arm64"] },
      /another system \(@r1-native\/darwin-arm64\).*lock file/,
      /--save-optional @r1-native\/linux-x64@1\.2\.3/,
    ],
    [
      "the package has another version",
      { own },
      /is version 1\.2\.2, and r1-native is version 1\.2\.3/,
      /@r1-native\/linux-x64@1\.2\.3/,
    ],
    [
      "there is no package for this platform",
      { platform: "linux-riscv64" },
      /no package with a build for linux-riscv64/,
      /npx r1-native build/,
    ],
    ["a clone is not built", { isClone: true }, /is not built/, /npm run build:native/],
  ];

describe("explainAbsence", () => {
  it.each(cases)("names the cause and the command when %s", (_what, changed, reason, advice) => {
    const found = explainAbsence({ ...installation, ...changed });
    expect(found.reason).toMatch(reason);
    expect(found.advice).toMatch(advice);
  });
});

describe("platform packages", () => {
  it("are looked for under the names under which they are packed", () => {
    expect([...PLATFORMS].sort()).toEqual(Object.keys(PACKED).sort());
    expect(packageName("linux-arm64-musl")).toBe("@r1-native/linux-arm64-musl");
  });

  it("are all named in the file that bundlers' tracers read", () => {
    const file = new URL("../../lib/binding/platform-files.cjs", import.meta.url);
    const found = readFileSync(file, "utf8").matchAll(/"@r1-native\/([\w-]+)\/[\w.-]+"/g);
    expect([...found].map(([, name]) => name).sort()).toEqual([...ALL_TARGETS].sort());
  });

  it("have the name of this platform among them", () => {
    expect(PLATFORMS).toContain(platformName());
  });
});
