// Reads rows of Parquet by the optional package hyparquet, one row group at a time. Runs on the
// JavaScript thread.
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { optionalPackage } from "./optional-package.js";
import type { RawRow } from "./row.js";

/** Rows of one read: those of a large row group come in parts. */
const GROUP = 4096;

/** A value as JSON can write it: whole numbers of 64 bits that JavaScript cannot hold are text. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  return value;
}

/**
 * The rows of a Parquet file; the line of a row is its number, from 1.
 *
 * @throws {R1Error} `PACKAGE_MISSING`, `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `INPUT_INVALID` for what
 * is no Parquet file.
 */
export async function* readParquet(path: string): AsyncGenerator<RawRow[], void> {
  const library = await optionalPackage("hyparquet", "Reading Parquet", () => import("hyparquet"));
  const file = await library.asyncBufferFromFile(path).catch((error: unknown) => {
    throw fileFailure(error, path, "read");
  });
  try {
    const metadata = await library.parquetMetadataAsync(file);
    const total = Number(metadata.num_rows);
    for (let start = 0; start < total; start += GROUP) {
      const rows = await library.parquetReadObjects({
        file,
        metadata,
        rowStart: start,
        rowEnd: Math.min(total, start + GROUP),
      });
      yield rows.map((row, i) => ({ line: start + i + 1, value: plain(row) }));
    }
  } catch (error) {
    if (error instanceof R1Error) throw error;
    throw new R1Error("INPUT_INVALID", `"${path}" cannot be read as Parquet: ${String(error)}`, {
      cause: error,
      details: { path },
    });
  }
}
