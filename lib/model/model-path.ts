// Resolves the path of a model that a user gives.
import { resolve } from "node:path";
import { fileName } from "../base/check.js";
import { isHubReference } from "../hub/reference.js";

/**
 * Makes a path absolute; a reference to the Hub is returned unchanged.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`
 */
export function absolutePath(given: string | URL): string {
  if (typeof given === "string" && isHubReference(given)) return given;
  return resolve(fileName(given, "path"));
}
