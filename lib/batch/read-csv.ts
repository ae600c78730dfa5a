// Reads rows of CSV by the optional package csv-parse. Runs on the JavaScript thread.
import { createReadStream } from "node:fs";
import { R1Error } from "../base/errors.js";
import { gunzipStream, gzipFailure, isGzip } from "./gzip-source.js";
import { optionalPackage } from "./optional-package.js";
import type { RawRow } from "./row.js";

const GROUP = 256;

/**
 * @throws {R1Error} `PACKAGE_MISSING`, `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_IS_DIRECTORY`;
 * `INPUT_INVALID` where the table is broken, with its line.
 */
export async function* readCsv(path: string): AsyncGenerator<RawRow[], void> {
  const { parse } = await optionalPackage("csv-parse", "Reading CSV", () => import("csv-parse"));
  const file = isGzip(path) ? gunzipStream(path) : createReadStream(path);
  const parser = file.pipe(
    parse({ bom: true, columns: true, info: true, skip_empty_lines: true, relax_quotes: false }),
  );
  file.on("error", (error: Error) => parser.destroy(error));
  let group: RawRow[] = [];
  try {
    for await (const entry of parser) {
      const { record, info } = entry as { record: unknown; info: { lines: number } };
      group.push({ line: info.lines, value: record });
      if (group.length < GROUP) continue;
      yield group;
      group = [];
    }
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    if (code?.startsWith("CSV_") !== true) throw gzipFailure(error, path);
    throw new R1Error(
      "INPUT_INVALID",
      `Line ${lines ?? "?"} of "${path}" is not CSV: ${(error as Error).message}`,
      {
        cause: error,
        details: { path, faults: [{ line: lines ?? 0, message: (error as Error).message }] },
      },
    );
  } finally {
    file.destroy();
  }
  if (group.length > 0) yield group;
}
