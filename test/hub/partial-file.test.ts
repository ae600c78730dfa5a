// What a kill may cost a download: bytes that no note lists are never more than a chunk, however
// slow the disk is.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { PartialFile } from "../../lib/hub/partial-file.js";
import { withFolder } from "../fixtures/tiny.js";

const PIECE = 65_536;
const CHUNK = 4 * PIECE;

const file = {
  path: "m.gguf",
  bytes: 1000 * PIECE,
  hash: { kind: "sha256", hex: "00" },
} as never;

/** Bytes that the note on disk lists; 0 while there is none. */
function listed(target: string): number {
  try {
    const { ranges } = JSON.parse(readFileSync(`${target}.partial.json`, "utf8")) as {
      ranges: [number, number][];
    };
    return ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  } catch {
    return 0;
  }
}

it.each([1, 4, 8])("with a slow disk, writers: %i", (writers) =>
  withFolder(async (folder) => {
    const target = join(folder, "m.gguf");
    const partial = await PartialFile.open(target, file, CHUNK);
    const sync = partial.handle.datasync.bind(partial.handle);
    partial.handle.datasync = async () => {
      await sleep(20);
      await sync();
    };
    let [written, most] = [0, 0];
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        // As a network gives them: small and large ones.
        const bytes = i % 2 === 0 ? PIECE : PIECE / 4;
        await partial.write(Buffer.alloc(bytes, i), (writer * 100 + i) * PIECE);
        written += bytes;
        most = Math.max(most, written - listed(target));
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, i) => write(i)));
    await partial.keep();
    expect(most).toBeLessThanOrEqual(CHUNK);
    expect(listed(target)).toBe(written);
  }),
);

it("fails once the note cannot be written", () =>
  withFolder(async (folder) => {
    const partial = await PartialFile.open(join(folder, "m.gguf"), file, CHUNK);
    const full = Object.assign(new Error("ENOSPC: no space left"), {
      code: "ENOSPC",
      errno: -28,
      syscall: "fdatasync",
    });
    partial.handle.datasync = () => Promise.reject(full);
    const writing = (async () => {
      for (let i = 0; i < 40; i++) await partial.write(Buffer.alloc(PIECE), i * PIECE);
    })();
    await expect(writing).rejects.toMatchObject({ code: "NO_SPACE" });
    await partial.discard();
  }));
