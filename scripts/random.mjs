// Seeded random numbers for tests and benchmarks: the same for the same seed. Pure functions.

/** A generator of 32-bit numbers (mulberry32's recurrence). */
export function randomIntegers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** A generator of numbers in [0, 1). */
export function randomNumbers(seed) {
  const next = randomIntegers(seed);
  return () => next() / 2 ** 32;
}
