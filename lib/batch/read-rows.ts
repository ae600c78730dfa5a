// Reads the rows of an input file, JSONL, CSV or Parquet, without holding more than a piece of it
// in memory. Runs on the JavaScript thread; the reading itself on libuv's pool.
import { R1Error } from "../base/errors.js";
import { readCsv } from "./read-csv.js";
import { readParquet } from "./read-parquet.js";
import { gzipSource, isGzip } from "./gzip-source.js";
import { linesOf, readLines, textOf } from "./lines.js";
import { parseRow } from "./parse-row.js";
import type { ReadOptions, RowMap } from "./parse-row.js";
import type { BatchRow, RawRow, RowFault, TableFormat } from "./row.js";

/** A row, or what is wrong with it. */
export type ReadRow =
  | { readonly row: BatchRow; readonly fault?: undefined }
  | { readonly row?: undefined; readonly fault: RowFault };

/** The format of a table: by the end of its name, else JSONL. */
export function formatOf(path: string): TableFormat {
  const end = /\.(csv|parquet)$/i.exec(path.replace(/\.gz$/i, ""))?.[1]?.toLowerCase();
  return end === "csv" || end === "parquet" ? end : "jsonl";
}

async function* readJsonl(path: string): AsyncGenerator<RawRow[], void> {
  const groups = isGzip(path) ? linesOf(path, gzipSource(path)) : readLines(path);
  for await (const lines of groups) {
    const rows: RawRow[] = [];
    for (const line of lines) {
      const text = textOf(line);
      if (text === undefined) {
        rows.push({ line: line.number, fault: "is not UTF-8" });
        continue;
      }
      if (text.trim() === "") continue;
      try {
        rows.push({ line: line.number, value: JSON.parse(text) as unknown });
      } catch (error) {
        rows.push({ line: line.number, fault: `is not JSON: ${(error as Error).message}` });
      }
    }
    yield rows;
  }
}

/** A table's own columns say what they are, unless a map was given. */
function mapOfColumns(columns: readonly string[], path: string): RowMap {
  const id = ["custom_id", "id"].find((name) => columns.includes(name));
  const known = ["prompt", "messages"].find((name) => columns.includes(name));
  if (known === undefined)
    throw new R1Error(
      "INPUT_INVALID",
      `"${path}" has no column \`prompt\` or \`messages\`. Name the column with the question: --map COLUMN. It has: ${columns.slice(0, 20).join(", ")}.`,
      { details: { path, columns } },
    );
  return { [known]: known, ...(id === undefined ? {} : { id }) };
}

/**
 * The rows of an input, in groups as they are read; what is wrong with a row stands in its place.
 *
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_IS_DIRECTORY`; `INPUT_INVALID` for a
 * file that cannot be read on, or a table without a question; `PACKAGE_MISSING`.
 */
export async function* readRows(
  path: string,
  options: ReadOptions,
): AsyncGenerator<ReadRow[], void> {
  const format = formatOf(path);
  const groups =
    format === "csv" ? readCsv(path) : format === "parquet" ? readParquet(path) : readJsonl(path);
  let read = options;
  for await (const group of groups) {
    const first = group[0]?.value;
    if (format !== "jsonl" && read.map === undefined && typeof first === "object")
      read = { ...read, map: mapOfColumns(Object.keys(first as object), path) };
    yield group.map((raw) => checked(raw, read));
  }
}

function checked({ line, value, fault }: RawRow, read: ReadOptions): ReadRow {
  if (fault !== undefined) return { fault: { line, message: fault } };
  try {
    return { row: parseRow(value, line, read) };
  } catch (error) {
    if (error instanceof RangeError) return { fault: { line, message: "is nested too deeply" } };
    if (error instanceof R1Error) return { fault: { line, message: error.message } };
    throw error;
  }
}
