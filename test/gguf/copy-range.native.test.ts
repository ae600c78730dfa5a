// Copying ranges between files: inside the kernel where it does it, through buffers for the rest,
// with the same bytes either way; needs the addon.
import { open, readFile, rm, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { native } from "../../lib/binding/load.js";
import { Copier, type KernelCopy } from "../../lib/gguf/copy-range.js";
import { temporaryFolder } from "../fixtures/gguf-temp.js";

const SIZE = 70_000_001;
const source = Buffer.alloc(SIZE);
for (let at = 0; at < SIZE; at += 4093) source.writeUInt8((at * 31) & 255, at);

const handles: FileHandle[] = [];
afterEach(async () => {
  for (const handle of handles.splice(0)) await handle.close();
});

/**
 * Copies all but the first 77 bytes of the source to byte 1000 of a new file, and says what came
 * and how.
 */
async function copied(
  kernelCopy?: KernelCopy,
  signal?: AbortSignal,
): Promise<{ bytes: Buffer; told: number[] }> {
  const folder = await temporaryFolder();
  const [fromPath, toPath] = [join(folder, "from"), join(folder, "to")];
  await writeFile(fromPath, source);
  const [from, to] = [await open(fromPath, "r"), await open(toPath, "w")];
  handles.push(from, to);
  await to.truncate(1000 + SIZE - 77);
  const told: number[] = [];
  const copier = new Copier(signal, (bytes) => told.push(bytes), kernelCopy);
  await copier.copy({
    from,
    fromPath,
    fromOffset: 77,
    to,
    toPath,
    toOffset: 1000,
    bytes: SIZE - 77,
  });
  const bytes = await readFile(toPath);
  await Promise.all([fromPath, toPath].map((path) => rm(path)));
  return { bytes, told };
}

const expected = Buffer.concat([Buffer.alloc(1000), source.subarray(77)]);
const sum = (told: readonly number[]): number => told.reduce((a, b) => a + b, 0);

describe("a copy of a range", () => {
  it("is the kernel's work where the addon is there, and has the right bytes", async () => {
    const answers: number[] = [];
    const { bytes, told } = await copied(async (range) => {
      const done = await native().copyRange(range);
      answers.push(done);
      return done;
    });
    expect(bytes.equals(expected)).toBe(true);
    expect(sum(told)).toBe(SIZE - 77);
    // Elsewhere than on Linux it declines, and the buffers do it.
    expect(sum(answers)).toBe(process.platform === "linux" ? SIZE - 77 : 0);
  });

  it.each([
    ["declines", 0, 0],
    ["stops in its first piece", 1_234_567, 0],
    ["stops in its second piece", Number.MAX_SAFE_INTEGER, 5_000_001],
  ])("has the same bytes when the kernel %s", async (_, first, second) => {
    const limits = [first, second];
    const { bytes, told } = await copied((range) =>
      native().copyRange({ ...range, bytes: Math.min(range.bytes, limits.shift() ?? 0) }),
    );
    expect(bytes.equals(expected)).toBe(true);
    expect(sum(told)).toBe(SIZE - 77);
  });

  it("ends between two pieces when its signal aborts", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const asked: number[] = [];
    const kernelCopy: KernelCopy = ({ bytes }) => {
      asked.push(bytes);
      controller.abort(reason);
      return Promise.resolve(bytes);
    };
    await expect(copied(kernelCopy, controller.signal)).rejects.toBe(reason);
    expect(asked).toHaveLength(1);
  });

  it("refuses what is no range, and survives files that are not open", async () => {
    const range = { from: 0, fromOffset: 0, to: 1, toOffset: 0, bytes: 1 };
    expect(() => native().copyRange({ ...range, bytes: -1 })).toThrow(TypeError);
    expect(() => native().copyRange({ ...range, from: "x" as unknown as number })).toThrow(
      TypeError,
    );
    expect(await native().copyRange({ ...range, from: 999_999, to: 999_998 })).toBe(0);
    const file = await open(join(await temporaryFolder(), "x"), "w+");
    handles.push(file);
    expect(await native().copyRange({ ...range, from: file.fd, to: file.fd })).toBe(0);
    expect((await file.stat()).size).toBe(0);
  });
});
