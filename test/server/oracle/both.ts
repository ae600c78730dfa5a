// What the tests with types as oracle share: both forms of a request, and the check of a type.
import { expect } from "vitest";
import { ask } from "../ask.js";
import type { Fetches } from "../ask.js";
import type { Validator } from "./schemas.js";

/** Fails with the validator's complaint and the value. */
export function expectType(validate: Validator, value: unknown): void {
  if (!validate(value))
    expect.fail(`${JSON.stringify(validate.errors?.slice(-3))}\nof ${JSON.stringify(value)}`);
}

/** Sends a request in both forms; returns the whole body and the text of the stream. */
export async function both(
  app: Fetches,
  path: string,
  body: object,
): Promise<[Record<string, unknown>, string]> {
  const [whole, streamed] = await Promise.all([
    ask(app, "POST", path, body),
    ask(app, "POST", path, { ...body, stream: true }),
  ]);
  expect([whole.status, whole.text]).toEqual([200, expect.any(String)]);
  expect([streamed.status, streamed.text]).toEqual([200, expect.any(String)]);
  return [JSON.parse(whole.text) as Record<string, unknown>, streamed.text];
}
