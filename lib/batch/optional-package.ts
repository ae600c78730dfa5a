// Loads packages that are needed for some formats only, when they are used. Any JavaScript thread.
import { R1Error } from "../base/errors.js";

/**
 * An optional peer dependency.
 *
 * @param work - What needs it, as the subject of a sentence: "Reading CSV".
 * @param load - Imports it.
 * @throws {R1Error} `PACKAGE_MISSING` when it is not installed.
 */
export async function optionalPackage<T>(
  name: string,
  work: string,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new R1Error(
      "PACKAGE_MISSING",
      `${work} needs the package ${name}, which is not installed: npm install ${name}.`,
      { cause: error, details: { package: name } },
    );
  }
}
