// The shard of a worker: an output of a batch, which knows where each of its records lies. Runs on
// the JavaScript thread.
import { hash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { FileConfig } from "../batch/file-config.js";
import { filesOf } from "../batch/header.js";
import { Journal } from "../batch/journal.js";
import type { Ledger } from "../batch/ledger.js";
import { openAILine } from "../batch/openai-line.js";
import { errorRecordOf, type Origin } from "../batch/record.js";
import type { BatchOutcome } from "../batch/runner.js";
import type { Place } from "./link.js";

/** A journal that knows where its lines begin. */
class PlacedJournal {
  readonly #journal: Journal;
  /** Where the next line begins: the journal appends in the order of its calls. */
  #end: number;

  private constructor(journal: Journal, size: number) {
    this.#journal = journal;
    this.#end = size;
  }

  static async open(path: string): Promise<PlacedJournal> {
    const journal = await Journal.open(path);
    return new PlacedJournal(journal, (await stat(path)).size);
  }

  async append(value: unknown): Promise<Omit<Place, "sample" | "file">> {
    const line = JSON.stringify(value);
    const offset = this.#end;
    const bytes = Buffer.byteLength(line);
    this.#end += bytes + 1;
    await this.#journal.append(line);
    return { offset, bytes, sha256: hash("sha256", line, "hex") };
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}

/** Results and errors of one worker. Its output is locked and mended. */
export class WorkerShard {
  readonly #config: FileConfig;
  readonly #origin: Origin;
  readonly #ledger: Ledger;
  readonly #output: PlacedJournal;
  #errors: Promise<PlacedJournal> | undefined;

  private constructor(output: PlacedJournal, config: FileConfig, origin: Origin, ledger: Ledger) {
    this.#output = output;
    this.#config = config;
    this.#origin = origin;
    this.#ledger = ledger;
  }

  /** @throws {R1Error} those of writing files. */
  static async open(config: FileConfig, origin: Origin, ledger: Ledger): Promise<WorkerShard> {
    return new WorkerShard(await PlacedJournal.open(config.output), config, origin, ledger);
  }

  /** Writes an outcome; resolves with its place once it is on the disk. */
  async write(outcome: BatchOutcome): Promise<Place> {
    const { id, sample, row, record } = outcome;
    if (record !== undefined) {
      const line =
        this.#config.format === "openai" ? openAILine(row.ask, record, this.#origin) : record;
      const place = await this.#output.append(line);
      this.#ledger.addSample(id, sample, record.verified === true);
      return { sample, file: "output", ...place };
    }
    this.#errors ??= PlacedJournal.open(filesOf(this.#config.output).errors);
    const line = errorRecordOf(id, { sample, attempt: outcome.attempt }, outcome.error);
    const place = await (await this.#errors).append(line);
    this.#ledger.addSample(id, sample, false);
    return { sample, file: "errors", ...place };
  }

  async close(): Promise<void> {
    await this.#output.close();
    await (await this.#errors?.catch(() => undefined))?.close();
  }
}
