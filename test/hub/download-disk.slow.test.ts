// Downloads and the disk: aborts, notes, locks, room, layouts.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { downloadFileToCacheDir, scanCacheDir } from "@huggingface/hub";
import { describe, expect, it } from "vitest";
import { type R1Error } from "../../lib/base/errors.js";
import { downloadModel } from "../../lib/hub/download.js";
import { type DownloadOptions } from "../../lib/hub/download-options.js";
import { at, BIG, CHUNK, big, bigPath, failure, onlyBig, pull, readme, useHub } from "./setup.js";

useHub();

describe("an abort", () => {
  it("rejects with the reason as it is, leaves nothing that looks whole, and is resumed without a byte coming twice", async () => {
    const reason = { mine: true };
    const controller = new AbortController();
    at.hub.fault = () => ({ kind: "slow", bytesPerTick: 8192, tickMs: 3 });
    const first = pull({
      ...onlyBig,
      signal: controller.signal,
      onProgress: ({ fetchedBytes }) => {
        if (fetchedBytes > 200_000) controller.abort(reason);
      },
    });
    await expect(first).rejects.toBe(reason);
    expect(existsSync(bigPath())).toBe(false);
    expect(readdirSync(join(at.dir, "sub")).sort()).toEqual([
      "big-Q4_K_M.gguf.partial",
      "big-Q4_K_M.gguf.partial.json",
    ]);
    at.hub.fault = undefined;
    const result = await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(result.fetchedBytes).toBeLessThanOrEqual(BIG - 200_000);
    expect(readdirSync(join(at.dir, "sub"))).toEqual(["big-Q4_K_M.gguf"]);
  });

  it("before the call fetches nothing", async () => {
    const reason = new Error("early");
    await expect(pull({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(at.hub.apiCount).toBe(0);
  });

  it("while waiting for Retry-After comes through at once", async () => {
    at.hub.fault = () => ({ kind: "status", status: 429, headers: { "retry-after": "300" } });
    const began = performance.now();
    await expect(pull({ ...onlyBig, signal: AbortSignal.timeout(300) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it("whose note was damaged begins anew rather than trust it", async () => {
    at.hub.fault = ({ start }) => (start >= 300_000 ? { kind: "cut", after: 0 } : undefined);
    await failure(pull({ ...onlyBig, retries: 0 }));
    at.hub.fault = undefined;
    const note = `${bigPath()}.partial.json`;
    for (const text of [
      "",
      "{",
      "[]",
      JSON.stringify({
        ...(JSON.parse(readFileSync(note, "utf8")) as object),
        ranges: [[-5, BIG * 2]],
      }),
    ]) {
      writeFileSync(note, text);
      await pull({ ...onlyBig, force: true });
      expect(readFileSync(bigPath()).equals(big)).toBe(true);
      rmSync(bigPath());
    }
  });
});

describe("the disk", () => {
  it("is asked before anything is fetched: NO_SPACE", async () => {
    const [size, name] = [2 ** 50, "huge.gguf"];
    at.hub.commit({ [name]: big });
    at.hub.editListing = (entries) =>
      entries.map((entry) => ({ ...entry, lfs: { oid: "0".repeat(64), size } }));
    const error = await failure(pull());
    expect(error.code).toBe("NO_SPACE");
    expect(error.details["neededBytes"]).toBe(size);
    expect(at.hub.asked).toEqual([]);
    expect(existsSync(at.dir)).toBe(false);
  });

  it("with another file of that name is not written over", async () => {
    mkdirSync(join(at.dir, "sub"), { recursive: true });
    writeFileSync(bigPath(), "mine");
    expect((await failure(pull())).code).toBe("FILE_EXISTS");
    expect(readFileSync(bigPath(), "utf8")).toBe("mine");
    expect(at.hub.asked).toEqual([]);
  });

  it("with a folder in the file's place is FILE_EXISTS", async () => {
    mkdirSync(bigPath(), { recursive: true });
    expect((await failure(pull({ force: true }))).code).toBe("FILE_EXISTS");
  });
});

describe("two downloads of one file", () => {
  it("do not write over each other: the second is FILE_BUSY", async () => {
    // The first does not end before the second has.
    const fault = { kind: "slow" as const, bytesPerTick: 4096, tickMs: 2, crawlAfter: BIG / 2 };
    at.hub.fault = () => fault;
    let second: Promise<R1Error> | undefined;
    await pull({
      ...onlyBig,
      onProgress: ({ fetchedBytes }) => {
        if (fetchedBytes > 0)
          second ??= failure(pull(onlyBig)).finally(() => (fault.crawlAfter = Infinity));
      },
    });
    expect((await second)?.code).toBe("FILE_BUSY");
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
  });

  it("of which the first was killed leave a lock that does not hold", async () => {
    mkdirSync(join(at.dir, "sub"), { recursive: true });
    for (const holder of [
      { pid: process.pid, host: hostname(), started: 12_345 },
      { pid: 2 ** 22 + 5, host: hostname(), started: 12_345 },
    ]) {
      writeFileSync(`${bigPath()}.partial.lock`, JSON.stringify(holder));
      await pull(onlyBig);
      rmSync(bigPath());
    }
  });
});

describe("the Hub's cache", () => {
  const inCache = (options: DownloadOptions = {}): ReturnType<typeof downloadModel> =>
    downloadModel(at.hub.repo, {
      endpoint: at.hub.endpoint,
      token: false,
      cache: at.dir,
      chunkBytes: CHUNK,
      retryDelayMs: 1,
      ...options,
    });

  it("has blobs by hash, links by commit, and the commit of the branch", async () => {
    const result = await inCache();
    const store = join(at.dir, "models--owner--model");
    expect(result.folder).toBe(join(store, "snapshots", result.commit));
    expect(readFileSync(join(store, "refs", "main"), "utf8")).toBe(result.commit);
    const link = join(result.folder, "sub", "big-Q4_K_M.gguf");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(link).equals(big)).toBe(true);
    expect(readdirSync(join(store, "blobs")).sort()).toHaveLength(2);
  });

  it("is read by the Hub's own library: commit, branch and files, with no warning and without a request", async () => {
    // Its list leaves folders of a repository out.
    at.hub.commit({ "README.md": readme, "big-Q4_K_M.gguf": big });
    const result = await inCache();
    const { repos, warnings } = await scanCacheDir(at.dir);
    expect(warnings).toEqual([]);
    expect(repos.map(({ id }) => id)).toEqual([{ type: "model", name: at.hub.repo }]);
    const [revision] = repos[0]?.revisions ?? [];
    expect(revision).toMatchObject({
      commitOid: result.commit,
      refs: ["main"],
      size: BIG + readme.length,
    });
    expect(revision?.files.map(({ blob }) => blob.size).sort()).toEqual([readme.length, BIG]);
    const nobody = (): Promise<Response> => Promise.reject(new Error("it asked"));
    const theirs = await downloadFileToCacheDir({
      repo: at.hub.repo,
      path: "big-Q4_K_M.gguf",
      revision: result.commit,
      cacheDir: at.dir,
      hubUrl: at.hub.endpoint,
      fetch: nobody,
    });
    expect(theirs).toBe(join(result.folder, "big-Q4_K_M.gguf"));
  });

  it("fetches of a new commit only what has changed", async () => {
    await inCache();
    at.hub.commit({ "README.md": Buffer.from("# Other\n"), "sub/big-Q4_K_M.gguf": big });
    const result = await inCache();
    expect(result.fetchedBytes).toBe(8);
    expect(readFileSync(join(result.folder, "README.md"), "utf8")).toBe("# Other\n");
  });

  it("fetches a content once that has two names", async () => {
    at.hub.commit({ "a.gguf": big, "b.gguf": big });
    const result = await inCache();
    expect(result.fetchedBytes).toBe(BIG);
    expect(readFileSync(join(result.folder, "b.gguf")).equals(big)).toBe(true);
  });
});
