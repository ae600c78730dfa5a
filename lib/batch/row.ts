// What one row of a batch is, once it is read and checked. Types only.
import type { ChatMessageInput } from "../base/types.js";

/** What a row asks: a conversation, or a raw prompt that holds the template's own tokens. */
export type RowAsk =
  | { readonly kind: "chat"; readonly messages: readonly ChatMessageInput[] }
  | { readonly kind: "raw"; readonly prompt: string };

/** One row of a batch, checked. */
export interface BatchRow {
  /** `custom_id` or `id`, else a hash of the row's content. Never depends on its place. */
  readonly id: string;
  /** Line in its file, from 1; 0 for a row that came from a program. */
  readonly line: number;
  readonly ask: RowAsk;
  /** Options of its generations, in the library's words; they go before those of the run. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Its own number of samples; undefined: the run's. */
  readonly samples: number | undefined;
  /** Its own seed; undefined: one derived from the run's seed and the id. */
  readonly seed: number | undefined;
  /** Columns that are carried through to its records. */
  readonly columns: Readonly<Record<string, unknown>> | undefined;
  /** The row as it was given: what a verifier sees. */
  readonly source: Readonly<Record<string, unknown>>;
  /** Cancels this row alone: samples that run or wait end without an outcome. */
  readonly signal?: AbortSignal | undefined;
}

/** Most samples of one row, as `model.choices` has it. */
export const MAX_SAMPLES = 64;

/** What an input, or the target of an export, may be. */
export type TableFormat = "jsonl" | "csv" | "parquet";

/** Something wrong with one row of an input. */
export interface RowFault {
  /** Line in the file, from 1; 0 where there are no lines. */
  readonly line: number;
  readonly message: string;
}

/** A value of an input with its line, or what is wrong with that line. */
export interface RawRow {
  readonly line: number;
  readonly value?: unknown;
  readonly fault?: string;
}
