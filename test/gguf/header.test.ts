// The GGUF reader: what it reads, and what it refuses, against files written byte by byte and
// against @huggingface/gguf; runs in the test process.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gguf } from "@huggingface/gguf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { GGML_TYPES } from "../../lib/gguf/ggml-types.js";
import { readGgufFile } from "../../lib/gguf/open-file.js";
import { header, pair, writeGguf } from "../../scripts/gguf-writer.mjs";
import { llamaFolder, temporaryFolder, tinyModel } from "../fixtures/gguf-temp.js";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "ok";
  } catch (error) {
    if (isR1Error(error)) return error.code;
    throw error;
  }
}

async function codeOfBytes(bytes: Buffer): Promise<string> {
  const path = join(await temporaryFolder(), "x.gguf");
  await writeFile(path, bytes);
  return codeOf(readGgufFile(path));
}

describe("the GGUF reader", () => {
  it("reads the same metadata and tensors as @huggingface/gguf", async () => {
    const own = await readGgufFile(tinyModel);
    const other = await gguf(tinyModel, { allowLocalFile: true });
    expect(
      own.tensors.map(({ name, shape, type, offset }) => [name, shape, type.id, offset]),
    ).toEqual(
      other.tensorInfos.map(({ name, shape, dtype, offset }) => [
        name,
        shape.map(Number),
        dtype,
        Number(offset),
      ]),
    );
    expect(own.dataOffset).toBe(Number(other.tensorDataOffset));
    for (const entry of own.entries.values()) {
      const value = (other.metadata as Record<string, unknown>)[entry.key];
      if (entry.type === "arr")
        expect(
          Array.from({ length: entry.elements.length }, (_, i) => entry.elements.at(i)),
        ).toEqual(value);
      else expect(entry.value).toEqual(value);
    }
  });

  it("reads every type of value and both ends of its range", async () => {
    const path = join(await temporaryFolder(), "values.gguf");
    const values: [string, string, unknown, unknown][] = [
      ["a.u8", "u8", 255, 255],
      ["a.i8", "i8", -128, -128],
      ["a.u16", "u16", 65535, 65535],
      ["a.i16", "i16", -32768, -32768],
      ["a.u32", "u32", 4294967295, 4294967295],
      ["a.i32", "i32", -2147483648, -2147483648],
      ["a.f32", "f32", 0.5, 0.5],
      ["a.f64", "f64", Math.PI, Math.PI],
      ["a.bool", "bool", true, true],
      ["a.u64", "u64", 2n ** 64n - 1n, 2n ** 64n - 1n],
      ["a.small.u64", "u64", 7n, 7],
      ["a.i64", "i64", -(2n ** 63n), -(2n ** 63n)],
      ["a.str", "str", "｜▁ü", "｜▁ü"],
      ["a.empty", "str", "", ""],
    ];
    await writeGguf(
      path,
      values.map(([key, type, value]) => pair(key, type, value)),
      [],
    );
    const { entries } = await readGgufFile(path);
    for (const [key, type, , expected] of values)
      expect(entries.get(key)).toMatchObject({ type, value: expected });
  });

  it("reads arrays of strings across the borders of its window", async () => {
    const path = join(await temporaryFolder(), "strings.gguf");
    const values = Array.from({ length: 40_000 }, (_, i) => "x".repeat(i % 97) + String(i));
    await writeGguf(path, [pair("a", "arr", { of: "str", values }), pair("b", "u32", 7)], []);
    const { entries } = await readGgufFile(path);
    const a = entries.get("a");
    expect(
      a?.type === "arr" && Array.from({ length: a.elements.length }, (_, i) => a.elements.at(i)),
    ).toEqual(values);
    expect(entries.get("b")).toMatchObject({ value: 7 });
  });

  it("knows the block sizes of llama.cpp's own table", async () => {
    const text = await readFile(join(llamaFolder, "gguf-py/gguf/constants.py"), "utf8");
    const ids = new Map(
      [
        ...(
          /class GGMLQuantizationType\(IntEnum\):([\s\S]*?)\n\n\n/.exec(text)?.[1] ?? ""
        ).matchAll(/(\w+)\s*=\s*(\d+)/g),
      ].map((m) => [m[1], Number(m[2])]),
    );
    const sizes = [...text.matchAll(/GGMLQuantizationType\.(\w+):\s+\((\d+), ([\d +*/QK_]+)\)/g)];
    expect(sizes.length).toBe(GGML_TYPES.length);
    for (const [, name = "", block = "", bytes = ""] of sizes) {
      const expression = bytes.replaceAll("QK_K", "256").replaceAll("//", "/");
      const value = expression
        .split("+")
        .reduce(
          (sum, term) =>
            sum +
            term
              .split(/(?=[*/])/)
              .reduce(
                (p, f) =>
                  f.includes("*")
                    ? p * Number(f.replace("*", ""))
                    : f.includes("/")
                      ? p / Number(f.replace("/", ""))
                      : Number(f),
                0,
              ),
          0,
        );
      const own = GGML_TYPES.find(({ id }) => id === ids.get(name));
      expect([name, own?.blockLength, own?.blockBytes]).toEqual([name, Number(block), value]);
    }
  });

  it("keeps the event loop turning over a vocabulary of 151,936 tokens", async () => {
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      let longest = 0;
      let last = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
      }, 1);
      await readGgufFile(join(llamaFolder, "models/ggml-vocab-qwen2.gguf"));
      clearInterval(timer);
      waits.push(longest);
    }
    // What the reader itself holds up, it holds up every time.
    expect(Math.min(...waits)).toBeLessThan(200);
  });

  it("stops when its signal aborts, with the signal's reason", async () => {
    const reason = new Error("enough");
    await expect(readGgufFile(tinyModel, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("what the GGUF reader refuses", () => {
  const good = header(
    [pair("general.architecture", "str", "llama")],
    [{ name: "t", type: "f32", shape: [8] }],
  );
  const u64 = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  const patched = (offset: number, bytes: Buffer): Buffer => {
    const copy = Buffer.from(good);
    bytes.copy(copy, offset);
    return copy;
  };

  it.each([
    ["a good header", good, "ok"],
    ["three bytes", Buffer.from("GGU"), "NOT_GGUF"],
    ["another magic", patched(0, Buffer.from("GGJT")), "NOT_GGUF"],
    ["a zip", Buffer.from("PK\x03\x04 and so on, long enough for a header"), "NOT_GGUF"],
    [
      "a Git LFS pointer",
      Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0"),
      "NOT_GGUF",
    ],
    ["the magic alone", Buffer.from("GGUF"), "FILE_TRUNCATED"],
    ["half a header", good.subarray(0, 40), "FILE_TRUNCATED"],
    ["version 1", patched(4, Buffer.from([1, 0, 0, 0])), "GGUF_INVALID"],
    ["version 4", patched(4, Buffer.from([4, 0, 0, 0])), "GGUF_INVALID"],
    ["a big-endian version", patched(4, Buffer.from([0, 0, 0, 3])), "GGUF_INVALID"],
    ["2^63 tensors", patched(8, u64(2n ** 63n)), "GGUF_INVALID"],
    ["2^40 pairs", patched(16, u64(2n ** 40n)), "GGUF_INVALID"],
    ["more tensors than fit", patched(8, u64(50_000n)), "FILE_TRUNCATED"],
    ["a key of 2^62 bytes", patched(24, u64(2n ** 62n)), "GGUF_INVALID"],
    ["an empty key", patched(24, u64(0n)), "GGUF_INVALID"],
    [
      "a key that occurs twice",
      header([pair("a", "u8", 1), pair("a", "u8", 1)], []),
      "GGUF_INVALID",
    ],
    [
      "a tensor that occurs twice",
      header(
        [],
        [1, 2].map(() => ({ name: "t", type: "f32", shape: [8] })),
      ),
      "GGUF_INVALID",
    ],
    ["an alignment of 48", header([pair("general.alignment", "u32", 48)], []), "GGUF_INVALID"],
    ["an alignment of 0", header([pair("general.alignment", "u32", 0)], []), "GGUF_INVALID"],
    [
      "an alignment that is a string",
      header([pair("general.alignment", "str", "32")], []),
      "GGUF_INVALID",
    ],
    [
      "a tensor without values",
      header([], [{ name: "t", type: "f32", shape: [0, 4] }]),
      "GGUF_INVALID",
    ],
    [
      "a name of 64 bytes",
      header([], [{ name: "n".repeat(64), type: "f32", shape: [4] }]),
      "GGUF_INVALID",
    ],
  ])("%s", async (_, bytes, code) => {
    expect(await codeOfBytes(bytes)).toBe(code);
  });

  it("anything at all without another failure than an R1Error, and never for long", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        async (bytes, withMagic) => {
          const all = withMagic
            ? Buffer.concat([good.subarray(0, 8), Buffer.from(bytes)])
            : Buffer.concat([good, Buffer.from(bytes)]);
          for (let i = 0; !withMagic && i < bytes.length; i++)
            all[(bytes[i] ?? 0) % good.length] = bytes[(i * 7) % bytes.length] ?? 0;
          await codeOfBytes(all.length === 0 ? Buffer.from("G") : all);
        },
      ),
      { numRuns: 300, seed: 3407 },
    );
  });

  it("a path that is none of a readable file, each way with its own code", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "empty.gguf"), "");
    expect(await codeOf(readGgufFile(join(folder, "none.gguf")))).toBe("FILE_NOT_FOUND");
    expect(await codeOf(readGgufFile(join(folder, "empty.gguf", "x")))).toBe("FILE_NOT_FOUND");
    expect(await codeOf(readGgufFile(folder))).toBe("FILE_IS_DIRECTORY");
    expect(await codeOf(readGgufFile(join(folder, "empty.gguf")))).toBe("FILE_EMPTY");
    expect(await codeOf(readGgufFile("/dev/zero"))).toBe("FILE_UNREADABLE");
    expect(await codeOf(readGgufFile("a\0b"))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(readGgufFile("x".repeat(5000)))).toBe("FILE_NOT_FOUND");
  });
});
