// The rooms of files: writer, lock, same-file, reader, errors.
import { execFileSync } from "node:child_process";
import {
  chmod,
  link,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
  open,
  lstat,
  utimes,
  mkdir,
} from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockSet, publishSet } from "../../../lib/base/files/file-set.js";
import { takeLock } from "../../../lib/base/files/lock.js";
import { readExactly } from "../../../lib/base/files/read.js";
import { fileIdentity, refuseInputs } from "../../../lib/base/files/same-file.js";
import { temporaryPath } from "../../../lib/base/files/temporary.js";
import { AtomicFile, writeFileAtomically } from "../../../lib/base/files/writer.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "r1-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const isSameFile = async (a: string, b: string): Promise<boolean> =>
  (await fileIdentity(a)) === (await fileIdentity(b));

const write = (path: string, text: string, force = true): Promise<void> =>
  writeFileAtomically(path, { force }, ({ handle }) => handle.writeFile(text));

describe("the writer", () => {
  it("lets the last complete one of two writers win, and never mixes them", async () => {
    const path = join(folder, "x");
    const texts = ["a", "b", "c", "d"].map((one) => one.repeat(100_000));
    await Promise.all(texts.map((text) => write(path, text)));
    expect(texts).toContain(await readFile(path, "utf8"));
    expect(await readdir(folder)).toEqual(["x"]);
  });

  it("keeps the old file when writing fails", async () => {
    const path = join(folder, "x");
    await writeFile(path, "old");
    await expect(
      writeFileAtomically(path, { force: true }, () => Promise.reject(new Error("no"))),
    ).rejects.toThrow("no");
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["x"]);
  });

  it("refuses a FIFO, a device and a folder, and leaves them", async () => {
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    await expect(write(fifo, "x")).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
    expect((await lstat(fifo)).isFIFO()).toBe(true);
    await expect(write("/dev/null", "x")).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
    await expect(write(folder, "x")).rejects.toMatchObject({ code: "FILE_IS_DIRECTORY" });
  });

  it("writes through a symbolic link, also one whose target does not exist", async () => {
    for (const target of ["there", "not-there"]) {
      if (target === "there") await writeFile(join(folder, target), "old");
      const path = join(folder, `to-${target}`);
      await symlink(target, path);
      await write(path, "new");
      expect((await lstat(path)).isSymbolicLink()).toBe(true);
      expect(await readFile(join(folder, target), "utf8")).toBe("new");
      await expect(write(path, "newer", false)).rejects.toMatchObject({ code: "FILE_EXISTS" });
    }
  });

  it("makes private files readable by their owner only, and keeps the permissions of others", async () => {
    const path = join(folder, "x");
    await writeFile(path, "old");
    await chmod(path, 0o640);
    await write(path, "new");
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    await writeFileAtomically(path, { force: true, isPrivate: true }, () => Promise.resolve());
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("removes temporary files of dead processes, and no others", async () => {
    const path = join(folder, "x");
    const own = temporaryPath(path);
    const dead = own.replace(`.${process.pid}-`, ".4194303-");
    const foreign = own.replace(/-[0-9a-f]{8}-/, "-00000000-");
    for (const one of [dead, foreign, join(folder, "x.1.partial")]) await writeFile(one, "");
    const file = await AtomicFile.create(path, { force: true });
    const kept = [file.temporary, foreign, join(folder, "x.1.partial")].sort();
    expect((await readdir(folder)).map((name) => join(folder, name)).sort()).toEqual(kept);
    await file.discard();
  });

  it("names the folder that is missing, a name that is too long, and one with a NUL", async () => {
    await expect(write(join(folder, "a/b/c"), "")).rejects.toThrow(`no folder "${folder}/a"`);
    await expect(write(join(folder, "x".repeat(300)), "")).rejects.toMatchObject({
      code: "FILE_UNWRITABLE",
    });
    await write(join(folder, "x".repeat(250)), "fits");
    await expect(write(join(folder, "a\0b"), "")).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

describe("a lock", () => {
  const take = (path: string): Promise<() => Promise<void>> => takeLock(path, "f", "written");

  it("is taken over when it is empty and old, or of a process that is gone or another one now", async () => {
    const path = join(folder, "lock");
    const host = hostname();
    for (const text of [
      "",
      JSON.stringify({ pid: 1, host, started: 1 }),
      JSON.stringify({ pid: 4194303, host, started: 1 }),
    ]) {
      await writeFile(path, text);
      await utimes(path, 1, 1);
      await (
        await take(path)
      )();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it("has one holder, however many take over one stale lock at once", async () => {
    const path = join(folder, "lock");
    await writeFile(path, JSON.stringify({ pid: 4194303, host: hostname(), started: 1 }));
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => take(path)));
    const held = results.filter((one) => one.status === "fulfilled");
    expect(held).toHaveLength(1);
    for (const one of results)
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "FILE_BUSY" });
    await held[0]?.value();
  });
});

describe("one file under two names", () => {
  it("is found by links, hard links and spellings, also before it exists", async () => {
    await writeFile(join(folder, "a"), "");
    await symlink("a", join(folder, "s"));
    await link(join(folder, "a"), join(folder, "h"));
    await symlink(".", join(folder, "d"));
    for (const other of ["s", "h", "./a", "d/a", "d/d/s"])
      expect(await isSameFile(join(folder, "a"), `${folder}/${other}`), other).toBe(true);
    expect(await isSameFile(join(folder, "new"), `${folder}/d/new`)).toBe(true);
    expect(await isSameFile(join(folder, "new"), join(folder, "a"))).toBe(false);
    await expect(refuseInputs([`${folder}/d/h`], [join(folder, "a")], "out")).rejects.toMatchObject(
      { code: "INVALID_ARGUMENT" },
    );
  });
});

describe("a set of files", () => {
  it("is put back when one of the new files cannot get its name", async () => {
    const paths = ["1", "2", "3"].map((name) => join(folder, name));
    for (const path of paths) await writeFile(path, "old");
    const files = paths.map((path, i) => ({
      path,
      finish: () => (i === 0 ? Promise.reject(new Error("no")) : writeFile(path, "new")),
    }));
    await expect(publishSet(files, true)).rejects.toThrow("no");
    for (const path of paths) expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toHaveLength(3);
  });

  it("is repaired after a kill between two renames, and has one writer", async () => {
    const paths = ["1", "2"].map((name) => join(folder, name));
    await writeFile(`${paths[0]}.r1-old`, "old");
    await writeFile(`${paths[1]}.r1-old`, "old");
    await writeFile(paths[1] ?? "", "new");
    const release = await lockSet(paths);
    for (const path of paths) expect(await readFile(path, "utf8")).toBe("old");
    await expect(lockSet(paths)).rejects.toMatchObject({ code: "FILE_BUSY" });
    await release();
    expect((await readdir(folder)).sort()).toEqual(["1", "2"]);
  });
});

describe("the reader", () => {
  it("reports a file that ends early", async () => {
    const path = join(folder, "x");
    await writeFile(path, "abc");
    await mkdir(join(folder, "y"));
    const file = await open(path, "r");
    await expect(readExactly(file, path, Buffer.alloc(4), 0)).rejects.toMatchObject({
      code: "FILE_TRUNCATED",
    });
    await file.close();
  });
});
