// Creates random weights in ggml's block formats, the same for the same seed, about as fast as the
// disk. Synchronous.

/** A small, fast generator of 32-bit numbers (xorshift). */
export function generator(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The bits of a number as an IEEE half; for ordinary small values only. */
export function halfBits(value) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  const exponent = ((bits >>> 23) & 255) - 112;
  if (exponent <= 0) return (bits >>> 16) & 0x8000;
  return ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 1023);
}

/** A number from a half's bits. */
export function halfValue(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  return (
    sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  );
}

/**
 * Where the scales of a block stand, and what they must be for values with the given standard
 * deviation.
 */
const SCALES = {
  q4_0: (block, at, sd) => block.writeUInt16LE(halfBits(sd / 4.6), at),
  q8_0: (block, at, sd) => block.writeUInt16LE(halfBits(sd / 73), at),
  q6_K: (block, at, sd) => {
    for (let i = 192; i < 208; i++) block[at + i] = 8 + (block[at + i] & 7);
    block.writeUInt16LE(halfBits(sd / 18.5 / 11.5), at + 208);
  },
};

/**
 * Blocks of a quantised pool: a prime above the largest vocabulary. So no two rows of a tensor
 * begin at the same place of it: equal rows of the output matrix would give many tokens one and the
 * same logit, which no trained model does and which samplers pay for.
 */
const QUANTISED_BLOCKS = 160001;

const isFloat = (type) => type === "f32" || type === "f16" || type === "bf16";

/** Random values of a type, as whole blocks: 1 MiB of floats, more of a quantised type. */
function pool(type, blockBytes, blockValues, sd, next) {
  const blocks = isFloat(type) ? Math.floor((1 << 20) / blockBytes) : QUANTISED_BLOCKS;
  const bytes = Buffer.alloc(blocks * blockBytes);
  if (isFloat(type)) {
    for (let i = 0; i < blocks; i++) {
      // The sum of two uniform numbers is near enough to a bell.
      const value = ((next() / 2 ** 32 + next() / 2 ** 32 - 1) / 0.408) * sd;
      if (type === "f32") bytes.writeFloatLE(value, i * 4);
      else if (type === "f16") bytes.writeUInt16LE(halfBits(value), i * 2);
      else {
        const view = new DataView(new ArrayBuffer(4));
        view.setFloat32(0, value);
        bytes.writeUInt16LE(view.getUint16(0), i * 2);
      }
    }
    return bytes;
  }
  for (let i = 0; i + 4 <= bytes.length; i += 4) bytes.writeUInt32LE(next(), i);
  for (let i = 0; i < blocks; i++) SCALES[type](bytes, i * blockBytes, sd, blockValues);
  return bytes;
}

const pools = new Map();

/**
 * A data source for `writeGguf`: random values of a type with a standard deviation; each tensor
 * starts elsewhere in a pool that all of its kind share.
 */
export function randomData(type, [, blockValues, blockBytes], sd, seed) {
  const next = generator(seed);
  const kind = `${type} ${sd}`;
  if (!pools.has(kind)) pools.set(kind, pool(type, blockBytes, blockValues, sd, generator(3407)));
  const bytes = pools.get(kind);
  next();
  const start = (next() % (bytes.length / blockBytes)) * blockBytes;
  return (offset, length) => {
    const piece = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const from = (start + offset + done) % bytes.length;
      const count = Math.min(bytes.length - from, length - done);
      bytes.copy(piece, done, from, from + count);
      done += count;
    }
    return piece;
  };
}

/** f32 tensor data of one value throughout. */
export function constantData(value, count) {
  return Buffer.from(new Float32Array(count).fill(value).buffer);
}
