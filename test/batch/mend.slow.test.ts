// The end of a journal that was torn: mended before anything is appended.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Journal } from "../../lib/batch/journal.js";
import { Ledger } from "../../lib/batch/ledger.js";
import { mend } from "../../lib/batch/mend.js";
import { readDone } from "../../lib/batch/resume.js";
import { withFolder } from "../fixtures/tiny.js";

const line = (i: number): string =>
  `${JSON.stringify({ id: `q${i}`, sample: 0, answer: `äö ${"x".repeat(i * 7)}\n` })}\n`;
const whole = Buffer.from(Array.from({ length: 12 }, (_, i) => line(i)).join(""));

async function doneAfter(path: string, bytes: Buffer): Promise<number> {
  writeFileSync(path, bytes);
  await mend(path);
  return (await readDone(path, new Ledger())).samples;
}

it("keeps every whole line and no other, wherever in the last 300 bytes the file was cut", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "out.jsonl");
    for (let cut = 0; cut <= 300; cut++) {
      const bytes = whole.subarray(0, whole.length - cut);
      const text = bytes.toString("latin1");
      // A line is whole with its line break or without it.
      const breaks = text.split("\n").length - 1;
      const isComplete = whole[bytes.length] === 10;
      expect(await doneAfter(path, bytes), `cut ${cut}`).toBe(breaks + (isComplete ? 1 : 0));
      const journal = await Journal.open(path);
      await journal.append(line(99).trimEnd());
      await journal.close();
      const after = readFileSync(path, "utf8").trimEnd().split("\n");
      expect(JSON.parse(after.at(-1) ?? "")).toMatchObject({ id: "q99" });
      for (const each of after) JSON.parse(each);
    }
    // What was torn off lies beside the output.
    expect(readdirSync(folder).some((name) => name.startsWith("out.torn-"))).toBe(true);
  });
});

it("cuts off NUL bytes at the end, behind a whole line and behind half of one", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "out.jsonl");
    const nuls = Buffer.alloc(5000);
    expect(await doneAfter(path, Buffer.concat([whole, nuls]))).toBe(12);
    expect(readFileSync(path).equals(whole)).toBe(true);
    expect(await doneAfter(path, Buffer.concat([whole.subarray(0, -1), nuls]))).toBe(12);
    expect(readFileSync(path).equals(whole)).toBe(true);
    expect(await doneAfter(path, Buffer.concat([whole.subarray(0, -20), nuls]))).toBe(11);
    expect(await doneAfter(path, nuls)).toBe(0);
  });
});

it("leaves a whole file as it is", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "out.jsonl");
    writeFileSync(path, whole);
    expect(await mend(path)).toEqual({ aside: undefined, cut: 0, completed: false });
    expect(readdirSync(folder)).toEqual(["out.jsonl"]);
  });
});

it("refuses a broken line in the middle with its number, and changes nothing", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "out.jsonl");
    const lines = whole.toString().split("\n");
    lines[4] = (lines[4] ?? "").slice(0, 9);
    const bytes = Buffer.from(lines.join("\n"));
    await expect(doneAfter(path, bytes)).rejects.toMatchObject({
      code: "JOURNAL_INVALID",
      message: expect.stringContaining("Line 5 of") as string,
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});
