// Turns one object of an input into a checked row: OpenAI's batch lines, plain rows, and rows whose
// columns a map names. Pure; any JavaScript thread.
import { integer, knownKeys, object, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import {
  CHAT_OPTION_NAMES,
  checkChat,
  checkChatOptions,
  checkCompletionOptions,
} from "../checks.js";
import { fromOpenAI } from "../index.js";
import type { ChatMessageInput, OpenAIMessage } from "../index.js";
import { contentId, MAX_SEED } from "./identity.js";
import { readBody } from "./openai-body.js";
import { MAX_SAMPLES } from "./row.js";
import type { BatchRow, RowAsk } from "./row.js";

/** Which columns of an input mean something; all others are carried through. */
export interface RowMap {
  /** The question. Exactly one of `prompt` and `messages`. */
  readonly prompt?: string | undefined;
  readonly messages?: string | undefined;
  readonly id?: string | undefined;
  readonly system?: string | undefined;
}

/** How rows are read. */
export interface ReadOptions {
  readonly map?: RowMap | undefined;
  /** Plain prompts are raw: they hold the template's own tokens. */
  readonly raw: boolean;
  /** System prompt of chats that bring none. */
  readonly system?: string | undefined;
}

/** Longest id. Unit: UTF-16 code units. */
const MAX_ID = 512;
const OPENAI_KEYS = ["custom_id", "method", "url", "body"];
const PLAIN_KEYS = ["id", "custom_id", "prompt", "messages", "samples", "metadata", "raw"];
/** A signal cannot stand in a file, and time is limited by the run. */
const ROW_OPTIONS = CHAT_OPTION_NAMES.filter(
  (key) => !["signal", "seed", "timeoutMs"].includes(key),
);
const ROW_KEYS = [...ROW_OPTIONS, ...PLAIN_KEYS];

/**
 * Checks the options of a generation without a model.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
function checkOptions(kind: RowAsk["kind"], options: Readonly<Record<string, unknown>>): void {
  if (kind === "chat") checkChatOptions(options);
  else checkCompletionOptions(options);
}

function idOf(value: unknown, name: string): string {
  if (typeof value === "number" || typeof value === "bigint")
    refuse(name, `a string ("${value}": large numbers change when JSON is read)`, value);
  if (typeof value !== "string" || value === "" || value.length > MAX_ID)
    refuse(name, `a string of 1 to ${MAX_ID} characters`, value);
  return value;
}

function askOf(row: Record<string, unknown>, { raw, system }: ReadOptions): RowAsk {
  const { prompt, messages } = row;
  if ((prompt === undefined) === (messages === undefined))
    throw new R1Error(
      "INVALID_ARGUMENT",
      prompt === undefined
        ? "The row has neither `prompt` nor `messages`. If another column is the question, name it: --map COLUMN."
        : "The row has `prompt` and `messages`: give one of them.",
    );
  const isRaw = row["raw"] === undefined ? raw : row["raw"];
  if (typeof isRaw !== "boolean") refuse("raw", "true or false", isRaw);
  if (messages !== undefined) {
    if (row["raw"] === true) refuse("raw", "no `messages` beside it", true);
    return { kind: "chat", messages: withSystem(ownForm(messages), system) };
  }
  if (typeof prompt !== "string") refuse("prompt", "a string", prompt);
  if (isRaw) return { kind: "raw", prompt };
  return { kind: "chat", messages: withSystem([{ role: "user", content: prompt }], system) };
}

/** Messages in OpenAI's form are read as such. */
function ownForm(messages: unknown): readonly ChatMessageInput[] {
  if (!Array.isArray(messages)) refuse("messages", "an array of messages", messages);
  const isForeign = messages.some(
    (message: unknown) =>
      typeof message === "object" &&
      message !== null &&
      ("tool_calls" in message || "tool_call_id" in message),
  );
  return isForeign ? fromOpenAI(messages as OpenAIMessage[]) : (messages as ChatMessageInput[]);
}

function withSystem(
  messages: readonly ChatMessageInput[],
  system: string | undefined,
): readonly ChatMessageInput[] {
  checkChat(messages);
  if (system === undefined || messages[0]?.role === "system" || messages[0]?.role === "developer")
    return messages;
  return [{ role: "system", content: system }, ...messages];
}

function seedOf(value: unknown): number | undefined {
  return value === undefined ? undefined : integer(value, "seed", 0, MAX_SEED);
}

function samplesOf(value: unknown, name: string): number | undefined {
  return value === undefined ? undefined : integer(value, name, 1, MAX_SAMPLES);
}

function openAIRow(row: Record<string, unknown>, line: number, read: ReadOptions): BatchRow {
  knownKeys(row, "a batch line", OPENAI_KEYS);
  if (row["method"] !== undefined && row["method"] !== "POST")
    refuse("method", '"POST"', row["method"]);
  const { ask, options, samples, seed } = readBody(
    row["url"] ?? "/v1/chat/completions",
    row["body"],
  );
  checkOptions(ask.kind, options);
  return {
    id: row["custom_id"] === undefined ? contentId(row) : idOf(row["custom_id"], "custom_id"),
    line,
    ask:
      ask.kind === "chat" ? { kind: "chat", messages: withSystem(ask.messages, read.system) } : ask,
    options,
    samples: samplesOf(samples, "body.n"),
    seed: seedOf(seed),
    columns: undefined,
    source: row,
  };
}

function plainRow(row: Record<string, unknown>, line: number, read: ReadOptions): BatchRow {
  const options = Object.fromEntries(
    Object.entries(row).filter(([key]) => !PLAIN_KEYS.includes(key) && key !== "seed"),
  );
  if (row["prompt"] === undefined && row["messages"] === undefined) askOf(row, read);
  knownKeys(options, "a row", ROW_KEYS);
  const { metadata } = row;
  const ask = askOf(row, read);
  checkOptions(ask.kind, options);
  const [id, name] =
    row["custom_id"] === undefined ? [row["id"], "id"] : [row["custom_id"], "custom_id"];
  return {
    id: id === undefined ? contentId(row) : idOf(id, name),
    line,
    ask,
    options,
    samples: samplesOf(row["samples"], "samples"),
    seed: seedOf(row["seed"]),
    columns: metadata === undefined ? undefined : object(metadata, "metadata"),
    source: row,
  };
}

function column(row: Record<string, unknown>, name: string): unknown {
  const value = row[name];
  if (value === undefined || value === null)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `The row has no column \`${name}\`. It has: ${Object.keys(row).slice(0, 20).join(", ")}.`,
    );
  return value;
}

function mappedRow(
  row: Record<string, unknown>,
  line: number,
  map: RowMap,
  read: ReadOptions,
): BatchRow {
  const system = map.system === undefined ? read.system : column(row, map.system);
  if (system !== undefined && typeof system !== "string")
    refuse(map.system ?? "system", "a string", system);
  const ask = askOf(
    map.messages === undefined
      ? { prompt: column(row, map.prompt ?? "prompt") }
      : { messages: column(row, map.messages) },
    { ...read, system },
  );
  let id: unknown = map.id === undefined ? undefined : column(row, map.id);
  // Whoever names a column of whole numbers as the id means their digits.
  if (typeof id === "bigint" || (typeof id === "number" && Number.isSafeInteger(id)))
    id = String(id);
  return {
    id: id === undefined ? contentId(row) : idOf(id, map.id ?? "id"),
    line,
    ask,
    options: {},
    samples: undefined,
    seed: undefined,
    columns: row,
    source: row,
  };
}

/**
 * Reads one object of an input.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `INVALID_MESSAGE`, `SCHEMA_UNSUPPORTED`.
 */
export function parseRow(value: unknown, line: number, read: ReadOptions): BatchRow {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse("row", "an object", value);
  const row = value as Record<string, unknown>;
  if (read.map !== undefined) return mappedRow(row, line, read.map, read);
  return "body" in row || "url" in row || "method" in row
    ? openAIRow(row, line, read)
    : plainRow(row, line, read);
}
