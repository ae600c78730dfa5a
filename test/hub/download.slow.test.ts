// Downloads that are cut, refused and slowed down: the file ends right or the error says what, and
// no byte comes twice beyond one chunk.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { downloadModel } from "../../lib/hub/download.js";
import { type DownloadProgress } from "../../lib/hub/meter.js";
import { FakeHub, noise } from "./fake-hub.js";
import { at, BIG, CHUNK, big, bigPath, failure, onlyBig, pull, readme, useHub } from "./setup.js";

useHub();

describe("a download", () => {
  it("gets all files, whole and hashed, with ranges of at most one chunk", async () => {
    const result = await pull();
    expect(result.files.map(({ name }) => name)).toEqual(["README.md", "sub/big-Q4_K_M.gguf"]);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(readFileSync(join(at.dir, "README.md")).equals(readme)).toBe(true);
    expect(result.modelPath).toBe(bigPath());
    expect(result.fetchedBytes).toBe(BIG + readme.length);
    expect(at.hub.sentBytes).toBe(BIG + readme.length);
    for (const { start, end } of at.hub.asked) expect(end - start).toBeLessThanOrEqual(CHUNK);
    expect(readdirSync(join(at.dir, "sub"))).toEqual(["big-Q4_K_M.gguf"]);
  });

  it("takes only the files that fit a pattern, over pages of the listing", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 25 }, (_, i) => [`part-${i}.bin`, noise(10 + i, i)]),
    );
    at.hub.commit({ ...files, "DeepSeek-R1-UD-IQ1_S/a.gguf": noise(100, 3) });
    at.hub.pageSize = 4;
    const result = await pull({
      allowPatterns: ["*UD-IQ1_S*", "part-1?.bin"],
      ignorePatterns: "part-13*",
    });
    expect(result.files).toHaveLength(10);
    expect(result.files[0]?.name).toBe("DeepSeek-R1-UD-IQ1_S/a.gguf");
  });

  it("says what there is when nothing fits", async () => {
    const error = await failure(pull({ allowPatterns: "*IQ9*" }));
    expect(error.code).toBe("FILE_NOT_FOUND");
    expect(error.message).toContain("Q4_K_M");
  });

  it("fetches nothing again when all is there", async () => {
    await pull();
    const before = at.hub.sentBytes;
    const again = await pull();
    expect(again.fetchedBytes).toBe(0);
    expect(at.hub.sentBytes).toBe(before);
  });

  it("tells its progress, which never falls and ends with all bytes", async () => {
    const seen: DownloadProgress[] = [];
    await pull({ onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toMatchObject({
      receivedBytes: BIG + readme.length,
      totalBytes: BIG + readme.length,
      filesDone: 2,
      files: 2,
    });
    for (let i = 1; i < seen.length; i++)
      expect(seen[i]?.receivedBytes).toBeGreaterThanOrEqual(seen[i - 1]?.receivedBytes ?? 0);
  });

  it("ends with what onProgress throws", async () => {
    const mine = new Error("mine");
    await expect(
      pull({
        onProgress: () => {
          throw mine;
        },
      }),
    ).rejects.toBe(mine);
  });
});

describe("a connection", () => {
  it("that is cut again and again goes on where it was cut: no byte comes twice", async () => {
    at.hub.fault = ({ end, start, count }) =>
      end - start > 5000 && count % 3 !== 0
        ? { kind: "cut", after: Math.floor((end - start) / 3) }
        : undefined;
    const result = await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(result.fetchedBytes).toBe(BIG);
    // What a cut loses on the wire is not known here.
    expect(at.hub.sentBytes - BIG).toBeLessThanOrEqual(CHUNK);
    expect(at.hub.asked.length).toBeGreaterThan(20);
  });

  it("that falls silent is given up and made anew", async () => {
    at.hub.fault = ({ count }) => (count === 2 ? { kind: "stall", after: 1000 } : undefined);
    const result = await pull({ ...onlyBig, timeoutMs: 200 });
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(result.fetchedBytes).toBe(BIG);
  });

  it("that is cut every time without a byte ends in NETWORK_FAILED and leaves what came", async () => {
    at.hub.fault = ({ start }) => (start >= 500_000 ? { kind: "cut", after: 0 } : undefined);
    const error = await failure(pull({ ...onlyBig, retries: 2 }));
    expect(error.code).toBe("NETWORK_FAILED");
    expect(existsSync(bigPath())).toBe(false);
    at.hub.fault = undefined;
    const before = at.hub.sentBytes;
    await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(at.hub.sentBytes - before).toBeLessThan(BIG - 300_000);
  });

  it("to nobody is NETWORK_FAILED", async () => {
    const { endpoint } = at.hub;
    await at.hub.stop();
    at.hub = await new FakeHub().start();
    const error = await failure(
      downloadModel(at.hub.repo, {
        endpoint,
        token: false,
        dir: at.dir,
        retries: 1,
        retryDelayMs: 1,
      }),
    );
    expect(error.code).toBe("NETWORK_FAILED");
  });
});

describe("a refusal", () => {
  it.each([500, 502, 503, 429, 408])("with %i is tried again", async (status) => {
    const refused = new Set<number>();
    at.hub.fault = ({ start }) => {
      if (refused.has(start)) return undefined;
      refused.add(start);
      return { kind: "status", status };
    };
    await pull(onlyBig);
    expect(refused.size).toBe(Math.ceil(BIG / CHUNK));
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(at.hub.sentBytes).toBe(BIG);
  });

  it("with 429 and Retry-After is waited out, by all requests", async () => {
    let refusedAt = 0;
    let early = 0;
    at.hub.fault = ({ count }) => {
      if (count === 3) refusedAt = performance.now();
      else if (refusedAt > 0 && performance.now() - refusedAt < 950) early++;
      return count === 3
        ? { kind: "status", status: 429, headers: { "retry-after": "1" } }
        : { kind: "slow", bytesPerTick: 16_384, tickMs: 2 };
    };
    await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(performance.now() - refusedAt).toBeGreaterThanOrEqual(950);
    // Those that were on their way when the refusal came; there are 16 pieces, fetched four at a
    // time.
    expect(early).toBeLessThanOrEqual(6);
  });

  it("that asks for hours ends in NETWORK_FAILED at once", async () => {
    at.hub.fault = () => ({ kind: "status", status: 429, headers: { "retry-after": "7200" } });
    const error = await failure(pull(onlyBig));
    expect(error.code).toBe("NETWORK_FAILED");
    expect(error.details).toMatchObject({ status: 429, retryAfter: "7200" });
  });

  it("of the listing is tried again too", async () => {
    at.hub.apiFault = (_url, count) =>
      count < 3 ? { status: count === 1 ? 503 : 429, headers: { "retry-after": "0" } } : undefined;
    await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
  });

  it("without end is NETWORK_FAILED with the status", async () => {
    at.hub.fault = () => ({ kind: "status", status: 500 });
    const error = await failure(pull({ ...onlyBig, retries: 2 }));
    expect(error).toMatchObject({ code: "NETWORK_FAILED", details: { status: 500 } });
    expect(at.hub.asked.length).toBeLessThanOrEqual(12);
  });

  it("of a repository or revision that is not there is FILE_NOT_FOUND", async () => {
    expect(await failure(pull({ revision: "v9" }))).toMatchObject({ code: "FILE_NOT_FOUND" });
    expect(
      await failure(
        downloadModel("owner/other", { endpoint: at.hub.endpoint, token: false, dir: at.dir }),
      ),
    ).toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});
