// Many downloads with faults at random: each ends right or says what happened, ends right in the
// next try, and no byte comes twice beyond one chunk. Prints how many faults there were and what
// they cost. R1_DOWNLOADS sets how many; by default 20.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { randomIntegers } from "../../scripts/random.mjs";
import { noise, type Asked, type Fault } from "./fake-hub.js";
import { at, BIG, big, bigPath, CHUNK, onlyBig, pull, useHub } from "./setup.js";

useHub();

const DOWNLOADS = Number(process.env["R1_DOWNLOADS"] ?? 20);
/** What a download gets over by itself. */
const PASSING = [
  "cut",
  "cut at once",
  "429",
  "429 with Retry-After",
  "500",
  "503",
  "408",
  "silence",
  "short",
  "long",
  "commit",
] as const;
/** What it must not get over: the bytes are not the listed ones. */
const FATAL = ["flip", "other length", "other place", "whole file", "416"] as const;
type Kind = (typeof PASSING)[number] | (typeof FATAL)[number];

function faultOf(kind: Kind, { start, end }: Asked, dice: number): Fault | undefined {
  const part = dice % Math.max(1, end - start);
  const faults: Record<Kind, Fault | undefined> = {
    cut: { kind: "cut", after: part },
    "cut at once": { kind: "cut", after: 0 },
    "429": { kind: "status", status: 429 },
    "429 with Retry-After": { kind: "status", status: 429, headers: { "retry-after": "0" } },
    "500": { kind: "status", status: 500 },
    "503": { kind: "status", status: 503 },
    "408": { kind: "status", status: 408 },
    silence: { kind: "stall", after: part },
    short: { kind: "short", by: Math.min(part, end - start - 1) },
    long: { kind: "long" },
    // The branch moves on: of no concern to a download under way.
    commit: undefined,
    flip: { kind: "flip", at: part },
    "other length": { kind: "total", total: BIG + 1 + (dice % 100) },
    "other place": { kind: "shift" },
    "whole file": { kind: "whole" },
    "416": { kind: "status", status: 416 },
  };
  return faults[kind];
}

interface Tally {
  /** Faults that a request met. */
  tried: number;
  survived: number;
  /** Bytes that the server sent beyond those of the file, in downloads that got through. */
  twice: number;
}

async function oneDownload(seed: number, tally: Tally): Promise<void> {
  const next = randomIntegers(seed);
  const isFatal = seed % 5 === 4;
  const count = 1 + (next() % 6);
  const places = new Map<number, Kind>();
  // By the number of the request: a fault meets whoever comes then.
  for (let i = 0; i < count; i++)
    places.set(1 + (next() % 20), PASSING[next() % PASSING.length] ?? "cut");
  if (isFatal) places.set(1 + (next() % 12), FATAL[next() % FATAL.length] ?? "flip");
  let met = 0;
  let fatal = 0;
  at.hub.fault = (asked) => {
    const kind = places.get(asked.count);
    if (kind === undefined) return undefined;
    met++;
    if ((FATAL as readonly string[]).includes(kind)) fatal++;
    if (kind === "commit")
      at.hub.commit({
        "README.md": Buffer.from(`${seed}\n`),
        "sub/big-Q4_K_M.gguf": noise(BIG, seed + 100),
      });
    return faultOf(kind, asked, next());
  };
  const outcome = await pull({ ...onlyBig, timeoutMs: 2000, parallel: 1 + (seed % 4) }).then(
    ({ fetchedBytes }) => ({ code: "ok", fetchedBytes }),
    (error: unknown) => ({ code: isR1Error(error) ? error.code : String(error), fetchedBytes: 0 }),
  );
  at.hub.fault = undefined;
  tally.tried += met;
  if (fatal === 0) {
    expect(outcome, `seed ${seed}`).toEqual({ code: "ok", fetchedBytes: BIG });
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    // What the library has seen comes once; what a cut loses on the wire comes again.
    expect(at.hub.sentBytes - BIG, `seed ${seed}`).toBeLessThanOrEqual(CHUNK);
    tally.twice += Math.max(0, at.hub.sentBytes - BIG);
  } else {
    expect(["NETWORK_FAILED", "HASH_MISMATCH"], `seed ${seed}`).toContain(outcome.code);
    expect(existsSync(bigPath())).toBe(false);
    at.hub.commit({ "sub/big-Q4_K_M.gguf": big });
    await pull(onlyBig);
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
  }
  tally.survived += met;
}

describe("downloads with faults at random", () => {
  it("end right or say why, end right in the next try, and fetch no byte twice beyond one chunk", async () => {
    const tally: Tally = { tried: 0, survived: 0, twice: 0 };
    for (let seed = 0; seed < DOWNLOADS; seed++) {
      at.hub.commit({ "sub/big-Q4_K_M.gguf": big });
      Object.assign(at.hub, { sentBytes: 0, asked: [] });
      rmSync(at.dir, { recursive: true, force: true });
      await oneDownload(seed, tally);
    }
    console.log(
      `download faults survived / tried: ${tally.survived} / ${tally.tried}; bytes sent twice: ${tally.twice} of ${DOWNLOADS} downloads of ${BIG} bytes each`,
    );
    expect(tally.survived).toBe(tally.tried);
    expect(tally.tried).toBeGreaterThan(DOWNLOADS);
  });
});
