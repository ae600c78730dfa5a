// Reads from a Windows library which other libraries it needs. Pure.

/** Offsets and sizes of the format; all numbers are little endian. */
const HEADER_AT = 0x3c;
const SECTION_BYTES = 40;
const IMPORT_BYTES = 20;
const DELAYED_BYTES = 32;
const PE32_PLUS = 0x20b;

/** The sections of a file: addresses in memory, and where their bytes are in the file. */
function sectionsOf(bytes, header) {
  const count = bytes.readUInt16LE(header + 6);
  const first = header + 24 + bytes.readUInt16LE(header + 20);
  return Array.from({ length: count }, (_, i) => {
    const at = first + i * SECTION_BYTES;
    return {
      address: bytes.readUInt32LE(at + 12),
      size: Math.max(bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 16)),
      offset: bytes.readUInt32LE(at + 20),
    };
  });
}

/** Names in a table of imports: each entry of `size` bytes has the address of a name at `nameAt`. */
function namesIn(bytes, start, size, nameAt, offsetOf) {
  const names = [];
  for (let at = start; ; at += size) {
    const address = bytes.readUInt32LE(at + nameAt);
    if (address === 0) return names;
    const from = offsetOf(address);
    names.push(bytes.toString("latin1", from, bytes.indexOf(0, from)));
  }
}

/**
 * Returns the names of the libraries that a 64-bit DLL or addon needs, also of those that are loaded
 * at the first call.
 *
 * @throws {Error} if the bytes are not such a file.
 */
export function importsOf(bytes) {
  const header = bytes.readUInt32LE(HEADER_AT);
  if (bytes.toString("latin1", header, header + 4) !== "PE\0\0") throw new Error("no PE header");
  const optional = header + 24;
  if (bytes.readUInt16LE(optional) !== PE32_PLUS) throw new Error("not a 64-bit file");
  const sections = sectionsOf(bytes, header);
  const offsetOf = (address) => {
    const section = sections.find(
      (each) => address >= each.address && address < each.address + each.size,
    );
    if (section === undefined) throw new Error(`no section at ${address}`);
    return address - section.address + section.offset;
  };
  const table = (index, size, nameAt) => {
    const address = bytes.readUInt32LE(optional + 112 + index * 8);
    return address === 0 ? [] : namesIn(bytes, offsetOf(address), size, nameAt, offsetOf);
  };
  return [...table(1, IMPORT_BYTES, 12), ...table(13, DELAYED_BYTES, 4)];
}
