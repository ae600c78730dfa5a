// The path of a model as a user gives it.
import { resolve } from "node:path";
import { fileName } from "../base/check.js";
import { isHubReference } from "../hub/reference.js";

/**
 * Makes a path absolute; a reference to the Hub stays as it is.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`
 */
export function absolutePath(given: string | URL): string {
  if (typeof given === "string" && isHubReference(given)) return given;
  return resolve(fileName(given, "path"));
}
