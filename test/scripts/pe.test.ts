// Which libraries a Windows file needs, read from files made here.
import { describe, expect, it } from "vitest";
import { importsOf } from "../../scripts/packages/pe.mjs";

const SECTION = { address: 0x1000, offset: 0x400, size: 0x400 };
const HEADER = 0x80;
const OPTIONAL = HEADER + 24;

interface Needs {
  readonly now?: readonly string[];
  readonly later?: readonly string[];
}

/** A 64-bit Windows file with one section that holds both tables of imports. */
function library({ now = [], later = [] }: Needs): Buffer {
  const bytes = Buffer.alloc(SECTION.offset + SECTION.size);
  bytes.writeUInt32LE(HEADER, 0x3c);
  bytes.write("PE\0\0", HEADER, "latin1");
  bytes.writeUInt16LE(1, HEADER + 6);
  bytes.writeUInt16LE(240, HEADER + 20);
  bytes.writeUInt16LE(0x20b, OPTIONAL);
  const section = OPTIONAL + 240;
  bytes.writeUInt32LE(SECTION.size, section + 8);
  bytes.writeUInt32LE(SECTION.address, section + 12);
  bytes.writeUInt32LE(SECTION.size, section + 16);
  bytes.writeUInt32LE(SECTION.offset, section + 20);
  const toAddress = (offset: number): number => offset - SECTION.offset + SECTION.address;
  let names = SECTION.offset + 0x200;
  const table = (index: number, start: number, size: number, nameAt: number, all: Needs["now"]) => {
    if (all === undefined || all.length === 0) return;
    bytes.writeUInt32LE(toAddress(start), OPTIONAL + 112 + index * 8);
    for (const [i, name] of all.entries()) {
      bytes.writeUInt32LE(toAddress(names), start + i * size + nameAt);
      names += bytes.write(`${name}\0`, names, "latin1");
    }
  };
  table(1, SECTION.offset, 20, 12, now);
  table(13, SECTION.offset + 0x100, 32, 4, later);
  return bytes;
}

describe("importsOf", () => {
  it("names what is loaded at once and what is loaded at the first call", () => {
    const bytes = library({ now: ["KERNEL32.dll", "ggml.dll"], later: ["NODE.EXE"] });
    expect(importsOf(bytes)).toEqual(["KERNEL32.dll", "ggml.dll", "NODE.EXE"]);
  });

  it("finds nothing in a file without tables", () => {
    expect(importsOf(library({}))).toEqual([]);
  });

  it("refuses other files", () => {
    expect(() => importsOf(Buffer.alloc(512))).toThrow("no PE header");
    const other = library({});
    other.writeUInt16LE(0x10b, OPTIONAL);
    expect(() => importsOf(other)).toThrow("not a 64-bit file");
  });
});
