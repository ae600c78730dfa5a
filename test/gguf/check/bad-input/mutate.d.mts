// Types of what tests in TypeScript take from mutate.mjs.
export function generator(seed: number): () => number;
