// Arrays of token ids for users: JSON represents them as lists.

const TO_JSON: PropertyDescriptor = Object.freeze({
  value(this: Int32Array): number[] {
    return Array.from(this);
  },
  configurable: true,
  writable: true,
});

/**
 * Makes `JSON.stringify` write an array of ids as a list; otherwise it writes an object with a key
 * for each index. The method is not enumerable, and structured clones leave it out.
 *
 * @returns The same array.
 */
export function tokenArray(tokens: Int32Array): Int32Array {
  return Object.defineProperty(tokens, "toJSON", TO_JSON);
}
