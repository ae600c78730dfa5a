// Type of the checker, for the test that runs it.
/** Every breach of the architecture below `root`, a line each. */
export function checkLayers(root: string): string[];
