// Writes the rows of an export: JSONL, CSV or Parquet, the last two by optional packages. Runs on
// the JavaScript thread; writes on libuv's pool, but for Parquet.
import type { Stringifier } from "csv-stringify";
import { once } from "node:events";
import type { AtomicFile } from "../base/files/writer.js";
import { writeAll } from "../base/files/writer.js";
import { cellOf, type ColumnType } from "./export-columns.js";
import { LineWriter } from "./line-writer.js";
import { optionalPackage } from "./optional-package.js";

type Row = Readonly<Record<string, unknown>>;
type ColumnList = readonly { readonly name: string; readonly type: ColumnType }[];

/** Writes lines of JSON. */
export async function writeJsonl(file: AtomicFile, rows: AsyncIterable<object>): Promise<number> {
  const writer = new LineWriter(file);
  let count = 0;
  for await (const row of rows) {
    count++;
    await writer.add(JSON.stringify(row));
  }
  await writer.flush();
  return count;
}

/** Writes a table of comma-separated values, with a line of names. */
export async function writeCsv(
  { handle }: AtomicFile,
  rows: AsyncIterable<Row>,
  columns: ColumnList,
): Promise<number> {
  const { stringify } = await optionalPackage(
    "csv-stringify",
    "Writing CSV",
    () => import("csv-stringify"),
  );
  const stringifier: Stringifier = stringify({
    header: true,
    columns: columns.map(({ name }) => name),
    cast: { boolean: String },
  });
  let at = 0;
  const written = (async () => {
    for await (const chunk of stringifier) {
      const bytes = Buffer.from(chunk as Uint8Array);
      await writeAll(handle, bytes, at);
      at += bytes.length;
    }
  })();
  // Seen below, after the last row.
  written.catch(() => undefined);
  let count = 0;
  for await (const row of rows) {
    count++;
    const cells = columns.map(({ name, type }) => cellOf(row[name], type));
    if (!stringifier.write(cells)) await Promise.race([once(stringifier, "drain"), written]);
  }
  stringifier.end();
  await written;
  return count;
}

/** Parquet's words for the types of columns. */
const PARQUET = {
  string: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  json: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  integer: { type: "INT64" },
  number: { type: "DOUBLE" },
  boolean: { type: "BOOLEAN" },
} as const;

/** Rows of one row group: traces of R1 are some ten thousand characters each. */
const GROUP_ROWS = 1000;

/** Writes a Parquet file, one row group at a time. */
export async function writeParquet(
  { temporary }: AtomicFile,
  rows: AsyncIterable<Row>,
  columns: ColumnList,
): Promise<number> {
  const { ParquetWriter, fileWriter } = await optionalPackage(
    "hyparquet-writer",
    "Writing Parquet",
    () => import("hyparquet-writer"),
  );
  const writer = new ParquetWriter({
    writer: fileWriter(temporary),
    schema: [
      { name: "root", num_children: columns.length },
      ...columns.map(({ name, type }) => ({
        name,
        ...PARQUET[type],
        repetition_type: "OPTIONAL" as const,
      })),
    ],
  });
  let count = 0;
  let group: Row[] = [];
  const flush = async (): Promise<void> => {
    if (group.length === 0) return;
    const columnData = columns.map(({ name, type }) => ({
      name,
      data: group.map((row) => {
        const cell = cellOf(row[name], type);
        return type === "integer" && typeof cell === "number" ? BigInt(cell) : cell;
      }),
    }));
    group = [];
    await writer.write({ columnData, rowGroupSize: GROUP_ROWS });
  };
  for await (const row of rows) {
    count++;
    group.push(row);
    if (group.length >= GROUP_ROWS) await flush();
  }
  await flush();
  await writer.finish();
  return count;
}
