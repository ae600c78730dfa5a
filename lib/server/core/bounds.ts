// Bounds on the parts of a request that the schemas of fields do not know, since users set them.
import { badRequest } from "./api-error.js";
import type { ServerLimits } from "../limits.js";

/** @throws {ApiError} 400 when there are more than `most`. */
export function assertAtMost(count: number, most: number, param: string): void {
  if (count > most)
    throw badRequest(
      `\`${param}\` has ${count} entries; at most ${most} are allowed on this server.`,
      param,
      "invalid_value",
    );
}

/** @throws {ApiError} 400 when a number is above `most`. */
export function assertNotAbove(value: number | undefined, most: number, param: string): void {
  if (value !== undefined && value > most)
    throw badRequest(`\`${param}\` is at most ${most} on this server.`, param, "invalid_value");
}

/** @throws {ApiError} 400 for a schema whose JSON text is too long. */
export function assertSchemaFits(schema: unknown, param: string, limits: ServerLimits): void {
  const { maxSchemaLength: most } = limits;
  if (JSON.stringify(schema ?? null).length > most)
    throw badRequest(
      `\`${param}\` is longer than ${most} characters, the most on this server.`,
      param,
      "invalid_value",
    );
}
