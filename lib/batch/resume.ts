// Reads what an output holds already, so that a run goes on where another one ended. Runs on the
// JavaScript thread, one piece of the file in memory at a time.
import { stat } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import type { Ledger } from "./ledger.js";
import { readLines, textOf } from "./lines.js";
import { knownSampleOf } from "./record.js";

/** What was found. */
export interface Resumed {
  /** Samples, each counted once. */
  readonly samples: number;
  /** Lines of samples that an earlier line has already. */
  readonly repeated: number;
}

/**
 * Notes every sample of an output in the ledger.
 *
 * @param path - A file whose last line is whole; one that does not exist holds nothing.
 * @throws {R1Error} `JOURNAL_INVALID` for a line that is no record, with its number.
 */
export async function readDone(path: string, ledger: Ledger): Promise<Resumed> {
  const facts = await stat(path).catch(() => undefined);
  let samples = 0;
  let repeated = 0;
  if (facts === undefined) return { samples, repeated };
  for await (const lines of readLines(path)) {
    for (const line of lines) {
      const text = textOf(line);
      // What --repair leaves of a line that it moved away.
      if (text?.trim() === "") continue;
      const known = knownSampleOf(text);
      if (known === undefined) throw broken(path, line.number);
      if (ledger.addSample(known.id, known.sample, known.verified)) samples++;
      else repeated++;
    }
  }
  return { samples, repeated };
}

function broken(path: string, line: number): R1Error {
  return new R1Error(
    "JOURNAL_INVALID",
    `Line ${line} of "${path}" is not a whole record, and it is not the last one: nothing was changed. Pass --repair to move such lines into a file of their own and compute their rows again.`,
    { details: { path, line } },
  );
}
