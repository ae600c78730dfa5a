// Random ids of responses, messages and calls.
import { randomBytes } from "node:crypto";

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `prefix` and 24 random letters and digits, such as `chatcmpl-8sAk...`. */
export function randomId(prefix: string): string {
  let id = prefix;
  for (const byte of randomBytes(24)) id += LETTERS[byte % LETTERS.length] ?? "0";
  return id;
}

/** Now, as the protocols count time. Unit: seconds since 1970. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
