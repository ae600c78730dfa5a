// Makes broken copies of a GGUF file, the same one for the same seed: bit flips, truncations, huge
// counts, wrong types, wrong magic. Pure; runs anywhere.
import { randomIntegers } from "../../../../scripts/random.mjs";

const VALUE_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/**
 * Where things stand in a good file: each scalar's type and value, each count and length, each
 * tensor's type, dimensions and offset.
 */
export function layoutOf(bytes) {
  let at = 8;
  const count = () => Number(bytes.readBigUInt64LE((at += 8) - 8));
  const layout = {
    counts: [8, 16],
    lengths: [],
    types: [],
    scalars: [],
    strings: [],
    tensorFields: [],
    metadataEnd: 0,
    headerEnd: 0,
  };
  const string = (isText) => {
    layout.lengths.push(at);
    const length = count();
    if (isText && length > 0) layout.strings.push({ at, length });
    at += length;
  };
  const tensors = count();
  const pairs = count();
  for (let i = 0; i < pairs; i++) {
    string(true);
    layout.types.push(at);
    const type = bytes.readUInt32LE(at);
    at += 4;
    if (type === 8) string(true);
    else if (type === 9) {
      layout.types.push(at);
      const of = bytes.readUInt32LE(at);
      at += 4;
      layout.lengths.push(at);
      const length = count();
      for (let j = 0; j < length; j++) {
        if (of === 8) string(j < 8 || j % 16 === 0);
        else {
          if (j < 8 || j % 64 === 0) layout.scalars.push({ at, bytes: VALUE_BYTES[of] });
          at += VALUE_BYTES[of];
        }
      }
    } else {
      // Scalars of the hyperparameters are the richest ground: each counts three times.
      for (let j = 0; j < 3; j++) layout.scalars.push({ at, bytes: VALUE_BYTES[type] });
      at += VALUE_BYTES[type];
    }
  }
  layout.metadataEnd = at;
  for (let i = 0; i < tensors; i++) {
    string(true);
    layout.tensorFields.push(at);
    const dimensions = bytes.readUInt32LE(at);
    at += 4;
    for (let d = 0; d < dimensions; d++) {
      layout.tensorFields.push(at);
      at += 8;
    }
    layout.tensorFields.push(at, at + 4);
    at += 12;
  }
  layout.headerEnd = at;
  return layout;
}

const INTERESTING = [
  0,
  1,
  2,
  3,
  5,
  7,
  16,
  26,
  27,
  31,
  33,
  64,
  127,
  128,
  255,
  256,
  512,
  513,
  1024,
  1025,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

const KINDS = {
  "bit flip in the metadata": (copy, layout, next) => {
    for (let n = 1 + (next() % 3); n > 0; n--)
      copy[24 + (next() % (layout.metadataEnd - 24))] ^= 1 << (next() % 8);
  },
  "bit flip in the tensor table": (copy, layout, next) => {
    for (let n = 1 + (next() % 3); n > 0; n--)
      copy[layout.metadataEnd + (next() % (layout.headerEnd - layout.metadataEnd))] ^=
        1 << (next() % 8);
  },
  "other value": (copy, layout, next) => {
    for (let n = 1 + (next() % 2); n > 0; n--) {
      const { at, bytes } = layout.scalars[next() % layout.scalars.length];
      const value = next() % 3 === 0 ? next() : INTERESTING[next() % INTERESTING.length];
      for (let i = 0; i < bytes; i++) copy[at + i] = Math.floor(value / 2 ** (8 * i)) & 255;
    }
  },
  "other text": (copy, layout, next) => {
    const { at, length } = layout.strings[next() % layout.strings.length];
    copy[at + (next() % length)] = next() % 4 === 0 ? 0 : next() & 255;
  },
  "huge count or length": (copy, layout, next) => {
    const places = next() % 3 === 0 ? layout.counts : layout.lengths;
    const huge = [
      2n ** 64n - 1n,
      2n ** 63n,
      2n ** 62n,
      2n ** 40n,
      2n ** 32n,
      2n ** 31n,
      2n ** 30n,
      BigInt(next()),
      0n,
      1n,
    ];
    copy.writeBigUInt64LE(huge[next() % huge.length], places[next() % places.length]);
  },
  "wrong type": (copy, layout, next) => {
    copy.writeUInt32LE(
      next() % 4 === 0 ? next() : next() % 14,
      layout.types[next() % layout.types.length],
    );
  },
  "wrong tensor": (copy, layout, next) => {
    const at = layout.tensorFields[next() % layout.tensorFields.length];
    copy.writeUInt32LE(next() % 3 === 0 ? next() : INTERESTING[next() % INTERESTING.length], at);
  },
  "wrong magic or version": (copy, layout, next) => {
    copy[next() % 8] = next() & 255;
  },
  truncation: (copy, layout, next) =>
    copy.subarray(0, next() % 2 === 0 ? next() % copy.length : next() % (layout.headerEnd + 4096)),
  "bit flips in the weights": (copy, layout, next) => {
    for (let n = 1 + (next() % 4000); n > 0; n--)
      copy[layout.headerEnd + 32 + (next() % (copy.length - layout.headerEnd - 32))] ^=
        1 << (next() % 8);
  },
  "weights of random bytes": (copy, layout, next) => {
    const start = layout.headerEnd + 32 + (next() % (copy.length - layout.headerEnd - 32));
    const end = Math.min(copy.length, start + (next() % 400_000));
    for (let i = start; i < end; i++) copy[i] = next() & 255;
  },
  "weights all ones": (copy, layout, next) => {
    const start = layout.headerEnd + 32 + (next() % (copy.length - layout.headerEnd - 32));
    copy.fill(255, start, Math.min(copy.length, start + (next() % 400_000)));
  },
};

/** Names of the kinds of mutation. */
export const MUTATIONS = Object.keys(KINDS);

/** The broken copy of a seed. */
export function mutate(bytes, layout, seed) {
  const next = randomIntegers(seed);
  const kind = MUTATIONS[seed % MUTATIONS.length];
  const copy = Buffer.from(bytes);
  return { kind, bytes: KINDS[kind](copy, layout, next) ?? copy };
}
