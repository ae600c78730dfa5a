// Paths of files in an Electron app.
import { describe, expect, it } from "vitest";
import { unpackedPath } from "../../lib/base/package.js";

describe("unpackedPath", () => {
  it.each([
    ["/opt/app/resources/app.asar/node_modules/a.js", "app.asar.unpacked/node_modules/a.js"],
    ["C:\\app\\resources\\app.asar\\node_modules\\a.js", "app.asar.unpacked\\node_modules\\a.js"],
    ["/opt/My App/other.asar/a.js", "other.asar.unpacked/a.js"],
  ])("names the unpacked copy of %s", (path, end) => {
    expect(unpackedPath(path).endsWith(end)).toBe(true);
  });

  it.each([
    "/opt/app/resources/app.asar.unpacked/node_modules/a.js",
    "/home/user/app.asar-tools/a.js",
    "/home/user/a.asar",
    "/home/user/.asar/a.js",
  ])("leaves %s as it is", (path) => {
    expect(unpackedPath(path)).toBe(path);
  });
});
