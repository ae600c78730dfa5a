// Types of random.mjs for the tests that use it.
export function randomIntegers(seed: number): () => number;
