// Records as rows of a table: own columns beside ours, each column of one type. Pure; any
// JavaScript thread.
import type { BatchRecord } from "./record.js";

/** The type of a column: what all of its values fit. */
export type ColumnType = "string" | "integer" | "number" | "boolean" | "json";

/** A cell: null where a record lacks the column. */
export type Cell = string | number | boolean | null;

/** Fields that are spread out, and those that are left out of a table. */
const SPREAD = ["columns", "versions", "timings"];

/** A record as flat fields: its own columns first come, and keep their names but for clashes. */
export function flat(record: BatchRecord): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) {
    if (SPREAD.includes(name)) continue;
    row[name] = value;
  }
  row["r1_native_version"] = record.versions["r1-native"];
  row["llama_cpp_version"] = record.versions["llama.cpp"];
  for (const [name, value] of Object.entries(record.timings)) row[name] = value;
  for (const [name, value] of Object.entries(record.columns ?? {}))
    row[Object.hasOwn(row, name) ? `row_${name}` : name] = value;
  return row;
}

function typeOf(value: unknown): ColumnType | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return Number.isSafeInteger(value) ? "integer" : "number";
  return "json";
}

/** The columns of a table, found by looking at every row once. */
export class Columns {
  readonly #types = new Map<string, ColumnType | undefined>();

  /** Takes note of a row. */
  see(row: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(row)) {
      const before = this.#types.get(name);
      const now = typeOf(value);
      const isSame = before === now || now === undefined;
      if (isSame && this.#types.has(name)) continue;
      if (before === undefined || now === undefined) this.#types.set(name, now ?? before);
      else this.#types.set(name, joined(before, now));
    }
  }

  /** Names and types, in the order in which they came up; a column without values is text. */
  list(): readonly { readonly name: string; readonly type: ColumnType }[] {
    return [...this.#types].map(([name, type]) => ({ name, type: type ?? "string" }));
  }
}

function joined(a: ColumnType, b: ColumnType): ColumnType {
  const numbers: readonly ColumnType[] = ["integer", "number"];
  if (numbers.includes(a) && numbers.includes(b)) return "number";
  return "json";
}

/** A value as a cell of its column. */
export function cellOf(value: unknown, type: ColumnType): Cell {
  if (value === null || value === undefined) return null;
  if (type === "json") return JSON.stringify(value);
  return value as Cell;
}
