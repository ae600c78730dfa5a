// What Tab makes of a line, what is sent to the clipboard, and files that go with a message.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Attachments } from "../../../lib/cli/chat/attachments.js";
import { copySequence } from "../../../lib/cli/chat/copy.js";
import { completeLine, HELP } from "../../../lib/cli/chat/slash-commands.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "r1-complete-"));
  mkdirSync(join(folder, "notes"));
  writeFileSync(join(folder, "notes.txt"), "two\nlines");
  writeFileSync(join(folder, ".hidden"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("Tab", () => {
  it.each([
    ["/re", ["/retry ", "/reset "]],
    ["/set te", ["temp "]],
    ["/think o", ["on ", "off "]],
    ["/show s", ["system ", "settings ", "stats "]],
    ["/undo x", []],
    ["hello /re", []],
    ["", []],
  ])("completes %j", (line, candidates) => {
    expect(completeLine(line, ["temp", "top-p"])[0]).toEqual(candidates);
  });

  it("completes paths of files, hidden ones when asked for", () => {
    const complete = (path: string): [string[], string] => completeLine(`/file ${path}`, []);
    expect(complete(`${folder}/no`)).toEqual([
      [`${folder}/notes.txt`, `${folder}/notes/`],
      `${folder}/no`,
    ]);
    expect(complete(`${folder}/`)[0]).toHaveLength(2);
    expect(complete(`${folder}/.h`)[0]).toEqual([`${folder}/.hidden`]);
    expect(complete(`${folder}/none/x`)[0]).toEqual([]);
  });

  it.skipIf(process.platform === "win32")("offers no name with a control character", () => {
    writeFileSync(join(folder, "wild\u001b[31m.txt"), "");
    writeFileSync(join(folder, "wild\u009b31m.txt"), "");
    writeFileSync(join(folder, "wild.txt"), "");
    expect(completeLine(`/file ${folder}/wi`, [])[0]).toEqual([`${folder}/wild.txt`]);
  });

  it("completes every command that /help names", () => {
    const named = [...HELP.matchAll(/^\/(\w+)/gm)].map(([, name = ""]) => `/${name} `);
    expect(new Set(completeLine("/", [])[0])).toEqual(new Set(named));
  });
});

describe("files of a message", () => {
  it("stand before it in DeepSeek's form, once", () => {
    const files = new Attachments();
    expect(files.add(join(folder, "notes.txt"))).toBe(9);
    expect(files.with("What is this?")).toBe(
      "[file name]: notes.txt\n[file content begin]\ntwo\nlines\n[file content end]\nWhat is this?",
    );
    expect(files.with("And now?")).toBe("And now?");
  });

  it.each([
    ["a folder", "notes"],
    ["a file that is not there", "none"],
    ["bytes that are no text", "bytes"],
    ["a file with a NUL", "nul"],
    ["a file that is too large", "large"],
    ["a device, which may have no end", "/dev/zero"],
  ])("are not %s", (_what, name) => {
    writeFileSync(join(folder, "bytes"), Buffer.from([0xff, 0xfe, 0x80]));
    writeFileSync(join(folder, "nul"), "a\0b");
    writeFileSync(join(folder, "large"), "x".repeat(2 ** 20 + 1));
    const files = new Attachments();
    expect(() => files.add(resolve(folder, name))).toThrow(basename(name));
    expect(files.count).toBe(0);
  });
});

describe("the clipboard", () => {
  it("gets the text in base64, through tmux too, unless it is too long", () => {
    expect(copySequence("你好", {})).toBe("\u001b]52;c;5L2g5aW9\u0007");
    expect(copySequence("a", { TMUX: "socket,1,0" })).toContain("\u001bPtmux;");
    expect(copySequence("x".repeat(80_000), {})).toBeUndefined();
  });
});
