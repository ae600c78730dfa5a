// Random numbers that a seed repeats, for the fuzzers. Pure.

/** A generator (xoshiro128**) whose whole state comes from `seed`. */
export function randomFrom(seed) {
  let mixed = seed >>> 0;
  const split = () => {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [split(), split(), split(), split()];
  const next = () => {
    const spun = Math.imul(b, 5);
    const result = Math.imul((spun << 7) | (spun >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const below = (n) => Math.floor((next() / 2 ** 32) * n);
  return {
    /** 0 .. 2^32 - 1 */
    next,
    /** 0 .. n - 1 */
    below,
    /** low .. high, both included */
    between: (low, high) => low + below(high - low + 1),
    /** True in one of `n` cases. */
    oneIn: (n) => below(n) === 0,
    /** One of the values. */
    pick: (values) => values[below(values.length)],
    /** 0 <= x < 1 */
    fraction: () => next() / 2 ** 32,
  };
}

/** The stream of input `number` of a run: independent of how many inputs came before it. */
export function randomOf(seed, number) {
  return randomFrom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
}
