// Renames over files that another program has open, as Windows refuses them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isHeldOpen, replaceFile, type Moves } from "../../../lib/base/files/replace.js";
import { withFolder } from "../../fixtures/tiny.js";

const refusal = (code: string): Error =>
  Object.assign(new Error(`${code}: not permitted`), { code, syscall: "rename" });

/** A system whose first renames onto `held` fail. */
function windows(held: string, failures: number, code = "EPERM"): Moves & { asked: number } {
  const moves = {
    platform: "win32",
    asked: 0,
    rename: async (from: string, to: string) => {
      if (to === held && moves.asked++ < failures) throw refusal(code);
      await rename(from, to);
    },
  };
  return moves;
}

async function replaced(moves: (to: string) => Moves): Promise<[string, string[]]> {
  return withFolder(async (folder) => {
    const [from, to] = [join(folder, "new"), join(folder, "old")];
    writeFileSync(from, "new");
    writeFileSync(to, "old");
    await replaceFile(from, to, moves(to)).catch(() => undefined);
    return [readFileSync(to, "utf8"), readdirSync(folder)];
  });
}

describe("a file that a program has open for a moment", () => {
  it.each(["EPERM", "EACCES", "EBUSY"])("is replaced at a later attempt (%s)", async (code) => {
    expect(await replaced((to) => windows(to, 3, code))).toEqual(["new", ["old"]]);
  });

  it("is moved aside when it stays open, and leaves nothing behind", async () => {
    expect(await replaced((to) => windows(to, 10))).toEqual(["new", ["old"]]);
  });

  it("keeps its name when it cannot be replaced at all", async () => {
    const stubborn = (to: string): Moves => {
      const moves = windows(to, 1000);
      return {
        ...moves,
        rename: async (from, target) =>
          from.endsWith(".r1-old") ? rename(from, target) : moves.rename(from, target),
      };
    };
    expect(await replaced(stubborn)).toEqual(["old", ["new", "old"]]);
  });
});

it("takes the same errors at their word on other systems", async () => {
  const moves = (to: string): Moves => ({ ...windows(to, 1), platform: "linux" });
  expect(await replaced(moves)).toEqual(["old", ["new", "old"]]);
  expect(isHeldOpen(refusal("EPERM"), "linux")).toBe(false);
  expect(isHeldOpen(Object.assign(refusal("EPERM"), { syscall: "open" }), "win32")).toBe(false);
});
