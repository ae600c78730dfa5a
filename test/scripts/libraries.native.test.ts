// The libraries of a package: the glibc that they need is found, and bounded.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { glibcOf } from "../../scripts/packages/libraries.mjs";

const built = join(fileURLToPath(new URL("../..", import.meta.url)), "build", "Release");

describe("glibc of the libraries", () => {
  it("is the newest version that one of them needs", () => {
    expect(glibcOf(built)).toMatch(/^2\.\d+$/);
  });

  it("is refused above the bound of a release", () => {
    const needed = glibcOf(built) ?? "";
    expect(glibcOf(built, needed)).toBe(needed);
    expect(() => glibcOf(built, "2.4")).toThrow(
      `needs glibc ${needed}, and the package may need 2.4 at most`,
    );
  });
});
