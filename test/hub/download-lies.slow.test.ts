// Downloads from a server that lies or changes: the file ends right or the error says what.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noise, type Fault } from "./fake-hub.js";
import { at, BIG, CHUNK, big, bigPath, failure, onlyBig, pull, useHub } from "./setup.js";

useHub();

describe("a server that lies", () => {
  const lies: [name: string, fault: Fault, code: string][] = [
    ["about the file's length", { kind: "total", total: BIG + 7 }, "NETWORK_FAILED"],
    ["about where the bytes begin", { kind: "shift" }, "NETWORK_FAILED"],
    ["by sending the whole file for each range", { kind: "whole" }, "NETWORK_FAILED"],
    ["by saying there are no such bytes", { kind: "status", status: 416 }, "NETWORK_FAILED"],
    ["by one flipped bit", { kind: "flip", at: 1234 }, "HASH_MISMATCH"],
  ];

  it.each(lies)("%s is told, and nothing that looks whole is left", async (_name, fault, code) => {
    at.hub.fault = ({ start }) => (start >= 3 * CHUNK && start < 4 * CHUNK ? fault : undefined);
    const error = await failure(pull(onlyBig));
    expect(error.code).toBe(code);
    expect(existsSync(bigPath())).toBe(false);
    at.hub.fault = undefined;
    await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
  });

  it("by sending more than was asked for changes nothing", async () => {
    at.hub.fault = () => ({ kind: "long" });
    await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
  });

  it("by sending less than was asked for is asked for the rest", async () => {
    at.hub.fault = ({ start, end }) => (end - start > 10 ? { kind: "short", by: 10 } : undefined);
    const result = await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(result.fetchedBytes).toBe(BIG);
  });

  it("about a small file is found out by git's hash", async () => {
    at.hub.fault = () => ({ kind: "flip", at: 0 });
    expect((await failure(pull({ allowPatterns: "README.md" }))).code).toBe("HASH_MISMATCH");
  });

  const listings: [name: string, edit: (entries: Record<string, unknown>[]) => unknown][] = [
    [
      "a path that climbs out",
      (entries) => entries.map((entry) => ({ ...entry, path: `../../${String(entry["path"])}` })),
    ],
    [
      "an absolute path",
      (entries) => entries.map((entry) => ({ ...entry, path: `/tmp/${String(entry["path"])}` })),
    ],
    [
      "a path with a NUL byte",
      (entries) => entries.map((entry) => ({ ...entry, path: `a\0${String(entry["path"])}` })),
    ],
    [
      "a negative size",
      (entries) => entries.map(({ lfs: _lfs, ...entry }) => ({ ...entry, size: -1 })),
    ],
    ["no hash", (entries) => entries.map((entry) => ({ ...entry, lfs: { size: 5000 } }))],
    ["a word", () => "no list"],
    ["an object", () => ({ error: "none" })],
    ["entries that are null", () => [null]],
  ];

  it.each(listings)(
    "with a listing of %s is NETWORK_FAILED, and nothing is written",
    async (_name, edit) => {
      at.hub.editListing = edit;
      expect((await failure(pull())).code).toBe("NETWORK_FAILED");
      expect(existsSync(at.dir)).toBe(false);
    },
  );

  it("with a page of a portal instead of JSON is NETWORK_FAILED", async () => {
    at.hub.apiFault = () => ({
      status: 200,
      headers: { "content-type": "text/html" },
      body: "<html>Log in</html>",
    });
    const error = await failure(pull());
    expect(error.code).toBe("NETWORK_FAILED");
    expect(error.message).toContain("not JSON");
  });
});

describe("a revision that changes midway", () => {
  it("does not mix two states: the download stays at the commit it began with", async () => {
    const other = noise(BIG, 2);
    const old = at.hub.branches.get("main");
    at.hub.fault = ({ count }) => {
      if (count === 3)
        at.hub.commit({ "README.md": Buffer.from("new\n"), "sub/big-Q4_K_M.gguf": other });
      return undefined;
    };
    const result = await pull();
    expect(result.commit).toBe(old);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    // The next one sees files that are not those of the repository any more.
    expect((await failure(pull())).code).toBe("FILE_EXISTS");
    await pull({ force: true });
    expect(readFileSync(bigPath()).equals(other)).toBe(true);
  });

  it("between a cut and its resumption drops what came of the old file", async () => {
    at.hub.fault = ({ start }) => (start >= 300_000 ? { kind: "cut", after: 0 } : undefined);
    await failure(pull({ ...onlyBig, retries: 0 }));
    at.hub.fault = undefined;
    const other = noise(BIG, 2);
    at.hub.commit({ "sub/big-Q4_K_M.gguf": other });
    await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(other)).toBe(true);
  });

  it("under the same commit is a wrong hash", async () => {
    const commit = at.hub.branches.get("main") ?? "";
    at.hub.fault = ({ count }) => {
      if (count === 3) at.hub.commits.set(commit, { "sub/big-Q4_K_M.gguf": noise(BIG, 2) });
      return undefined;
    };
    expect((await failure(pull(onlyBig))).code).toBe("HASH_MISMATCH");
    expect(existsSync(bigPath())).toBe(false);
  });
});
