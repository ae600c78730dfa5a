// Types of free-port.mjs for the tests that use it.
export function freePort(): Promise<number>;
