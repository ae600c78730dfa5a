// Reads the records of outputs, of our form or of OpenAI's, and where each stands in its file. Runs
// on the JavaScript thread, one piece of the file in memory at a time.
import { open } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { readExactly } from "../base/files/read.js";
import { readLines, textOf } from "./lines.js";
import { knownSample, type BatchRecord } from "./record.js";

/** A record and its place. */
export interface PlacedRecord {
  readonly record: BatchRecord;
  /** The line as it stands in the file. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** Unit: bytes. */
  readonly start: number;
  readonly length: number;
}

/** A record out of a line of OpenAI's batch output; columns that it has no place for are empty. */
function fromOpenAILine(line: Record<string, unknown>, sample: number): BatchRecord {
  const { body } = line["response"] as { body: Record<string, unknown> };
  const choice = (body["choices"] as Record<string, unknown>[])[0] ?? {};
  const message = (choice["message"] ?? choice) as Record<string, unknown>;
  const usage = (body["usage"] ?? {}) as Record<string, unknown>;
  const details = (name: string): Record<string, number> =>
    (usage[name] ?? {}) as Record<string, number>;
  const own = (body["r1_native"] ?? {}) as Partial<BatchRecord>;
  return {
    id: line["custom_id"] as string,
    sample,
    ...(own.columns === undefined ? {} : { columns: own.columns }),
    reasoning: (message["reasoning_content"] ?? "") as string,
    answer: (message["content"] ?? message["text"] ?? "") as string,
    finish_reason: own.finish_reason ?? (choice["finish_reason"] as "stop"),
    ...(own.verified === undefined ? {} : { verified: own.verified }),
    prompt_tokens: (usage["prompt_tokens"] ?? 0) as number,
    cached_tokens: details("prompt_tokens_details")["cached_tokens"] ?? 0,
    reasoning_tokens: details("completion_tokens_details")["reasoning_tokens"] ?? 0,
    completion_tokens: (usage["completion_tokens"] ?? 0) as number,
    seed: own.seed ?? 0,
    attempt: own.attempt ?? 1,
    model: (body["system_fingerprint"] ?? "") as string,
    versions: own.versions ?? { "r1-native": "", "llama.cpp": "" },
    timings: own.timings ?? { first_token_ms: 0, prompt_ms: 0, decode_ms: 0 },
    finished: new Date(((body["created"] ?? 0) as number) * 1000).toISOString(),
  };
}

/** The record of a line; undefined for a line that is none. */
export function recordOfText(text: string | undefined): BatchRecord | undefined {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    const known = knownSample(value);
    if (known === undefined) return undefined;
    const line = value as Record<string, unknown>;
    if (!("custom_id" in line)) return value as BatchRecord;
    return line["response"] === null ? undefined : fromOpenAILine(line, known.sample);
  } catch {
    return undefined;
  }
}

/**
 * The records of an output, in groups as they are read. A torn last line is passed over: whoever
 * runs the batch again computes it.
 *
 * @throws {R1Error} `JOURNAL_INVALID` for a line in the middle that is no record; those of reading.
 */
export async function* readRecords(path: string): AsyncGenerator<PlacedRecord[], void> {
  let broken: number | undefined;
  for await (const lines of readLines(path)) {
    const records: PlacedRecord[] = [];
    for (const line of lines) {
      const text = textOf(line);
      if (text?.trim() === "") continue;
      if (broken !== undefined) throw notARecord(path, broken);
      const record = recordOfText(text);
      if (record === undefined || text === undefined) broken = line.number;
      else
        records.push({
          record,
          text,
          line: line.number,
          start: line.start,
          length: line.bytes.length,
        });
    }
    yield records;
  }
}

function notARecord(path: string, line: number): R1Error {
  return new R1Error(
    "JOURNAL_INVALID",
    `Line ${line} of "${path}" is not a record of a batch. Is it the output of \`r1-native batch\`?`,
    { details: { path, line } },
  );
}

/** Reads records at their places, in whatever order. */
export async function* recordsAt(
  path: string,
  places: Iterable<{ readonly start: number; readonly length: number }>,
): AsyncGenerator<BatchRecord, void> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw fileFailure(error, path, "read");
  });
  try {
    for (const { start, length } of places) {
      const bytes = Buffer.allocUnsafe(length);
      await readExactly(file, path, bytes, start);
      const record = recordOfText(bytes.toString("utf8").replace(/^\uFEFF/, ""));
      if (record === undefined)
        throw new R1Error("JOURNAL_INVALID", `"${path}" changed while it was read. Try again.`, {
          details: { path },
        });
      yield record;
    }
  } finally {
    await file.close();
  }
}
