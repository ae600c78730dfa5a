// exportBatch: the records of an output as a table or a set for training, in an order of choice.
// Runs on the JavaScript thread.
import { fileName, flagOf, knownKeys, object, oneOf, refuse } from "../base/check.js";
import { fileFailure } from "../base/files/failure.js";
import { refuseInputs } from "../base/files/same-file.js";
import { AtomicFile } from "../base/files/writer.js";
import { chatOf, type ChatExport } from "./export-chat.js";
import { Columns, flat } from "./export-columns.js";
import { writeCsv, writeJsonl, writeParquet } from "./export-write.js";
import { readHeader } from "./header.js";
import { Ledger } from "./ledger.js";
import { openAILine } from "./openai-line.js";
import type { RowMap } from "./parse-row.js";
import { formatOf, readRows } from "./read-rows.js";
import { isWhole, type BatchRecord } from "./record.js";
import { readRecords, recordsAt } from "./records.js";
import type { TableFormat } from "./row.js";

/** The order of an export: as records were finished, as rows stand in the input, or by id. */
export type ExportOrder = "finished" | "input" | "id";

/** Options of {@link exportBatch}. */
export interface ExportOptions {
  /** @defaultValue by the end of the target's name, else `"jsonl"` */
  readonly format?: TableFormat | "openai" | undefined;
  /** @defaultValue `"finished"` */
  readonly order?: ExportOrder | undefined;
  /** The batch's input, for `order: "input"`. @defaultValue that of the output's header */
  readonly input?: string | URL | undefined;
  /** Conversations for fine-tuning instead of records; JSONL only. */
  readonly chat?: ChatExport | undefined;
  /** Leaves out results that the verifier did not pass. @defaultValue false */
  readonly verified?: boolean | undefined;
  /** Leaves out results that `length` or `loop` ended. @defaultValue false */
  readonly finished?: boolean | undefined;
  /** Replaces a file of the target's name. @defaultValue false */
  readonly force?: boolean | undefined;
}

/** What an export wrote. */
export interface ExportSummary {
  readonly path: string;
  readonly records: number;
  /** Results that `verified` and `finished` left out. */
  readonly leftOut: number;
}

interface Place {
  readonly id: string;
  readonly sample: number;
  readonly start: number;
  readonly length: number;
}

const KEYS = [
  "format",
  "order",
  "input",
  "chat",
  "verified",
  "finished",
  "force",
] as const satisfies readonly (keyof ExportOptions)[];

/**
 * Writes the records of an output into another file: atomically, so that a kill leaves nothing half
 * written. Of a sample that stands twice in the output the first record counts.
 *
 * @param output - The output of a batch, of either form; it may still grow.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `FILE_EXISTS` without `force`,
 * `FILE_NOT_FOUND`, `JOURNAL_INVALID`, `PACKAGE_MISSING`, `NO_SPACE`, `IO_FAILED`.
 */
export async function exportBatch(
  output: string | URL,
  target: string | URL,
  options: ExportOptions = {},
): Promise<ExportSummary> {
  const given = object(options, "options");
  knownKeys(given, "exportBatch", KEYS);
  const [from, to] = [fileName(output, "output"), fileName(target, "target")];
  const format =
    given["format"] === undefined
      ? formatOfTarget(to)
      : oneOf(given["format"], "format", ["jsonl", "csv", "parquet", "openai"]);
  const order =
    given["order"] === undefined
      ? "finished"
      : oneOf(given["order"], "order", ["finished", "input", "id"]);
  const chat =
    given["chat"] === undefined ? undefined : oneOf(given["chat"], "chat", ["reasoning", "answer"]);
  if (chat !== undefined && format !== "jsonl") refuse("chat", "a target of JSONL", format);
  await refuseInputs([to], [from], "target");
  const filter = { verified: flagOf(given, "verified"), finished: flagOf(given, "finished") };
  const { places, columns, leftOut } = await survey(from, filter);
  if (order === "id")
    places.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.sample - b.sample));
  if (order === "input") await sortByInput(places, from, options.input);
  const file = await AtomicFile.create(to, { force: flagOf(given, "force") });
  try {
    const records = recordsAt(from, places);
    const count = await write(file, records, format, chat, columns);
    await file.finish();
    return { path: to, records: count, leftOut };
  } catch (error) {
    throw fileFailure(error, to, "written");
  } finally {
    await file.discard();
  }
}

/** A table of a kind that is not written is refused: it would hold lines of JSON. */
function formatOfTarget(path: string): TableFormat {
  if (/\.(?:xlsx?|ods|tsv|arrow|feather|db|sqlite)$/i.test(path))
    refuse("target", "a name that ends in .jsonl, .csv or .parquet", path);
  return formatOf(path);
}

/** Where the wanted records stand, and which columns they have. */
async function survey(
  path: string,
  filter: { readonly verified: boolean; readonly finished: boolean },
): Promise<{ places: Place[]; columns: Columns; leftOut: number }> {
  const seen = new Ledger();
  const places: Place[] = [];
  const columns = new Columns();
  let leftOut = 0;
  for await (const group of readRecords(path)) {
    for (const { record, start, length } of group) {
      const { id, sample, verified } = record;
      if (!seen.addSample(id, sample, false)) continue;
      if ((filter.verified && verified !== true) || (filter.finished && !isWhole(record))) {
        leftOut++;
        continue;
      }
      places.push({ id, sample, start, length });
      columns.see(flat(record));
    }
  }
  return { places, columns, leftOut };
}

async function sortByInput(
  places: Place[],
  output: string,
  given: string | URL | undefined,
): Promise<void> {
  const header = await readHeader(output);
  const input = given === undefined ? header?.input : fileName(given, "input");
  if (input === undefined)
    refuse("input", "the batch's input, since the output has no header that names it", given);
  const { map, raw } = header?.options ?? {};
  const ledger = new Ledger();
  let row = 0;
  for await (const group of readRows(input, {
    map: map as RowMap | undefined,
    raw: raw === true,
  }))
    for (const each of group) if (each.row !== undefined) ledger.addRow(each.row.id, row++);
  // What has no row in the input any more comes last.
  const placeOf = ({ id }: Place): number => ledger.entry(id).line || Infinity;
  const keyed = places.map((place) => ({ place, at: placeOf(place) }));
  keyed.sort((a, b) => (a.at === b.at ? a.place.sample - b.place.sample : a.at - b.at));
  keyed.forEach(({ place }, i) => (places[i] = place));
}

async function write(
  file: AtomicFile,
  records: AsyncIterable<BatchRecord>,
  format: TableFormat | "openai",
  chat: ChatExport | undefined,
  columns: Columns,
): Promise<number> {
  if (chat !== undefined) return writeJsonl(file, conversations(records, chat));
  if (format === "openai") return writeJsonl(file, openAILines(records));
  if (format === "jsonl") return writeJsonl(file, records);
  const rows = flatRows(records);
  return format === "csv"
    ? writeCsv(file, rows, columns.list())
    : writeParquet(file, rows, columns.list());
}

async function* conversations(
  records: AsyncIterable<BatchRecord>,
  kind: ChatExport,
): AsyncGenerator<object, void> {
  for await (const record of records) {
    const chat = chatOf(record, kind);
    if (chat === undefined)
      refuse(
        "chat",
        "records of chats with their questions (raw prompts and OpenAI's form have none)",
        record.id,
      );
    yield chat;
  }
}

async function* openAILines(records: AsyncIterable<BatchRecord>): AsyncGenerator<object, void> {
  for await (const record of records)
    yield openAILine({ kind: record.raw === true ? "raw" : "chat" }, record, {
      fingerprint: record.model,
      description: record.model,
    });
}

async function* flatRows(
  records: AsyncIterable<BatchRecord>,
): AsyncGenerator<Record<string, unknown>, void> {
  for await (const record of records) yield flat(record);
}
