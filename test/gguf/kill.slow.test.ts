// Merges, splits and quantisations that are killed at random moments: what stands under its own
// name is whole, and the next run gets through. Children of the test process do the work (needs
// dist/). R1_KILLS sets how many of each; by default 6, and half as many quantisations.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantize } from "../../dist/files.js";
import { mergeGguf } from "../../lib/gguf/merge.js";
import { splitGguf } from "../../lib/gguf/split.js";
import { pair, writeGguf } from "../../scripts/gguf-writer.mjs";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { randomIntegers } from "../../scripts/random.mjs";
import { sameBytes } from "../fixtures/gguf-tools.js";

const KILLS = Number(process.env["R1_KILLS"] ?? 6);
/**
 * Unit: milliseconds; a kill takes two seconds on a busy machine of two cores, a killed
 * quantisation nine.
 */
const LIMIT = 240_000 + KILLS * 20_000;
const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

let work = "";
let good: { whole: string; parts: readonly string[] };
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "r1-kill-"));
  const whole = join(work, "good.gguf");
  const tensors = Array.from({ length: 24 }, (_, i) => ({
    name: `t${i}`,
    type: "f32",
    shape: [1 << 21],
    data: Buffer.alloc(1 << 23, i + 1),
  }));
  await writeGguf(whole, [pair("general.architecture", "str", "x")], tensors);
  const { paths } = await splitGguf(whole, join(work, "good"), { maxTensors: 8 });
  await mergeGguf(paths[0] ?? "", whole, { force: true });
  good = { whole, parts: paths };
});
afterAll(() => rm(work, { recursive: true, force: true }));

/**
 * Kills a merge or split at a share of its progress, or above 1 some milliseconds after the last of
 * it. Returns whether it was still at work.
 */
async function kill(kind: "merge" | "split", share: number, folder: string): Promise<boolean> {
  const [input, output] =
    kind === "merge"
      ? [good.parts[0] ?? "", join(folder, "out.gguf")]
      : [good.whole, join(folder, "out")];
  const child = fork(program("kill-child.mjs"), [kind, input, output, String(share)], {
    execArgv: [],
  });
  child.once("message", () =>
    setTimeout(() => child.kill("SIGKILL"), share < 1 ? 0 : (share - 1) * 100),
  );
  const [code] = (await once(child, "close")) as [number | null];
  return code === null;
}

/** The files that are no model and that the next run removes. */
const isTransient = (name: string): boolean => name.endsWith(".partial") || name.endsWith(".lock");

/**
 * Whether what stands in a folder under its own name is what an undisturbed run writes; of a split
 * without its first part nothing can be loaded.
 */
async function isSound(kind: "merge" | "split", folder: string): Promise<boolean> {
  const names = (await readdir(folder)).filter((name) => !isTransient(name));
  const expected = kind === "merge" ? [good.whole] : good.parts;
  if (kind === "split" && names.includes("out-00001-of-00003.gguf") && names.length !== 3)
    return false;
  for (const name of names) {
    const [, part] = /^out-0000(\d)-of-00003\.gguf$/.exec(name) ?? [];
    if (!(await sameBytes(join(folder, name), expected[Number(part ?? 1) - 1] ?? ""))) return false;
  }
  return true;
}

describe("a kill with SIGKILL", () => {
  it.each(["merge", "split"] as const)(
    "of a %s at random moments leaves nothing that looks whole and is not, and the next run gets through",
    async (kind) => {
      const next = randomIntegers(kind.length);
      let [survived, midway] = [0, 0];
      for (let i = 0; i < KILLS; i++) {
        const folder = join(work, `${kind}-${i}`);
        await mkdir(folder);
        const share = (next() % 1300) / 1000;
        if (await kill(kind, share, folder)) midway++;
        expect(await isSound(kind, folder), `killed at ${share}`).toBe(true);
        survived++;
        if (kind === "merge")
          await mergeGguf(good.parts[0] ?? "", join(folder, "out.gguf"), { force: true });
        else await splitGguf(good.whole, join(folder, "out"), { maxTensors: 8, force: true });
        expect(await isSound(kind, folder)).toBe(true);
        expect((await readdir(folder)).filter((name) => !name.endsWith(".partial"))).toHaveLength(
          kind === "merge" ? 1 : 3,
        );
        await rm(folder, { recursive: true });
      }
      console.log(
        `kills of a ${kind} survived / tried: ${survived} / ${KILLS}, ${midway} of them midway`,
      );
      expect(midway).toBeGreaterThan(0);
    },
    LIMIT,
  );

  /**
   * Kills a process that quantises while it stands still at a tensor, or once the file under its
   * temporary name is `bytes` long: its child is then done, or nearly.
   */
  async function killQuantisation(
    source: string,
    folder: string,
    tensor: number,
    bytes: number,
  ): Promise<void> {
    const child = fork(
      program("quantize-parent.mjs"),
      [source, join(folder, "x.gguf"), String(tensor)],
      { execArgv: [] },
    );
    const closed = once(child, "close");
    await Promise.race([once(child, "message"), closed]);
    expect(child.exitCode, "it stands still").toBe(null);
    const prefix = `x.gguf.${child.pid}-`;
    await expect
      .poll(
        async () => {
          const name = (await readdir(folder)).find((one) => one.startsWith(prefix));
          return name === undefined ? 0 : (await stat(join(folder, name))).size;
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThanOrEqual(bytes);
    child.kill("SIGKILL");
    await closed;
    await expect.poll(() => readdir(folder), { timeout: 60_000 }).toEqual([]);
  }

  it(
    "of the process that quantises leaves nothing: its child ends too, and removes what it wrote",
    async () => {
      const source = join(work, "random-f16.gguf");
      await SHAPES["deepseek2-256"](source);
      const { bytes } = await quantize(source, join(work, "whole.gguf"), {
        type: "Q4_K_M",
        threads: 1,
      });
      const folder = join(work, "quantize");
      await mkdir(folder);
      const next = randomIntegers(3);
      const kills = Math.ceil(KILLS / 2);
      for (let i = 0; i < kills; i++)
        await killQuantisation(source, folder, 1 + (next() % 20), i % 2 === 0 ? 0 : bytes);
      console.log(`kills of a quantisation survived / tried: ${kills} / ${kills}`);
    },
    LIMIT,
  );
});
