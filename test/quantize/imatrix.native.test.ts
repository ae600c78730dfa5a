// Claims about reading importance matrices: values, the older format, refusals. Needs dist/.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readImatrix } from "../../dist/files.js";
import { header, writeGguf } from "../../scripts/gguf-writer.mjs";
import { codeOf } from "../fixtures/error-code.js";
import { temporaryFolder } from "../fixtures/gguf-temp.js";
import { model256, writeImatrix } from "../fixtures/imatrix-file.js";

describe("readImatrix", () => {
  it("divides sums by counts, expert by expert, and weighs unseen experts evenly", async () => {
    const folder = await temporaryFolder();
    const { entries, datasets, chunks } = await readImatrix(
      await writeImatrix(join(folder, "i.gguf"), await model256(folder)),
    );
    const values = entries.get("blk.1.ffn_up_exps.weight");
    expect(values).toHaveLength(256 * 4);
    expect(values?.[0]).toBeCloseTo(1 / 50, 6);
    expect(values?.[3 * 256]).toBe(1);
    expect(datasets).toEqual(["made for a test"]);
    expect(chunks).toBe(4);
  });

  it("reads the older binary format", async () => {
    const path = join(await temporaryFolder(), "imatrix.dat");
    const int = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);
    const name = Buffer.from("blk.0.attn_q.weight");
    await writeFile(
      path,
      Buffer.concat([
        int(1),
        int(name.length),
        name,
        int(2),
        int(3),
        Buffer.from(Float32Array.of(2, 4, 8).buffer),
        int(7),
        int(4),
        Buffer.from("text"),
      ]),
    );
    const { entries, datasets, chunks } = await readImatrix(path);
    expect([...(entries.get("blk.0.attn_q.weight") ?? [])]).toEqual([1, 2, 4]);
    expect([datasets, chunks]).toEqual([["text"], 7]);
  });

  it("refuses files that are none, broken ones and ones with values that are no numbers", async () => {
    const folder = await temporaryFolder();
    const write = async (name: string, bytes: Buffer): Promise<string> => {
      await writeFile(join(folder, name), bytes);
      return join(folder, name);
    };
    expect(await codeOf(readImatrix(await write("a", Buffer.from("nothing of the kind"))))).toBe(
      "GGUF_INVALID",
    );
    expect(
      await codeOf(readImatrix(await write("b", Buffer.from([1, 0, 0, 0, 5, 0, 0, 0, 65])))),
    ).toBe("FILE_TRUNCATED");
    expect(await codeOf(readImatrix(await write("c", header([], []))))).toBe("GGUF_INVALID");
    const tensors = [
      {
        name: "w.in_sum2",
        type: "f32",
        shape: [1],
        data: Buffer.from(Float32Array.of(Number.NaN).buffer),
      },
      { name: "w.counts", type: "f32", shape: [1], data: Buffer.from(Float32Array.of(1).buffer) },
    ];
    await writeGguf(join(folder, "d"), [], tensors);
    expect(await codeOf(readImatrix(join(folder, "d")))).toBe("GGUF_INVALID");
  });
});
