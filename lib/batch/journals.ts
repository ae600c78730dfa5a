// The two files that outcomes are appended to: results to the output, errors to the file beside it.
// Runs on the JavaScript thread, under the lock of the output.
import type { FileConfig } from "./file-config.js";
import { filesOf } from "./header.js";
import { Journal } from "./journal.js";
import { openAILine } from "./openai-line.js";
import { errorRecordOf, type Origin } from "./record.js";
import type { BatchOutcome } from "./runner.js";

/** A line that is on the disk. */
export interface WrittenLine {
  readonly file: "output" | "errors";
  /** Where it begins in that file. Unit: bytes. */
  readonly start: number;
  /** Without its line break. */
  readonly line: string;
}

type Config = Pick<FileConfig, "output" | "format">;

/** An output and its errors file. */
export class Journals {
  readonly #config: Config;
  readonly #origin: Origin;
  readonly #output: Journal;
  #errors: Promise<Journal> | undefined;

  private constructor(output: Journal, config: Config, origin: Origin) {
    this.#output = output;
    this.#config = config;
    this.#origin = origin;
  }

  /**
   * @param config - Its output is locked and mended.
   * @throws {R1Error} those of {@link Journal.open}.
   */
  static async open(config: Config, origin: Origin): Promise<Journals> {
    return new Journals(await Journal.open(config.output), config, origin);
  }

  /**
   * Writes an outcome; resolves once it is on the disk.
   *
   * @throws {R1Error} those of {@link Journal.append}.
   */
  async write({ id, sample, row, ...ended }: BatchOutcome): Promise<WrittenLine> {
    const { record, error } = ended;
    if (record !== undefined) {
      const { format } = this.#config;
      const line = JSON.stringify(
        format === "openai" ? openAILine(row.ask, record, this.#origin) : record,
      );
      return { file: "output", start: await this.#output.append(line), line };
    }
    // Created with its first line.
    this.#errors ??= Journal.open(filesOf(this.#config.output).errors);
    const line = JSON.stringify(errorRecordOf(id, { sample, attempt: ended.attempt }, error));
    return { file: "errors", start: await (await this.#errors).append(line), line };
  }

  async close(): Promise<void> {
    await this.#output.close();
    await (await this.#errors?.catch(() => undefined))?.close();
  }
}
