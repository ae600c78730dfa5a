// runBatchFile: an input file in, an output that is its own journal out. Killed at any moment and
// started again the same way, it goes on. Runs on the JavaScript thread.
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { refuse } from "../base/check.js";
import { replaceFile } from "../base/files/replace.js";
import { refuseInputs } from "../base/files/same-file.js";
import { syncFolder } from "../base/files/writer.js";
import {
  compareModel,
  compareOptions,
  filesOf,
  readHeader,
  timeInName,
  writeHeader,
  type RunFacts,
  type RunHeader,
} from "./header.js";
import { Journal } from "./journal.js";
import { Journals } from "./journals.js";
import { Ledger } from "./ledger.js";
import { lookThrough, wantedRows } from "./look-through.js";
import { mend } from "./mend.js";
import { withModel, type ModelSource } from "./model-source.js";
import { normalizeFile, shapeOf, type BatchFileOptions, type FileConfig } from "./file-config.js";
import { lockOutput } from "./output-lock.js";
import { countWork, RowSamples, type Work } from "./plan-samples.js";
import { ProgressCounter, type BatchProgress } from "./progress.js";
import type { Origin } from "./record.js";
import { repair } from "./repair.js";
import { readDone } from "./resume.js";
import { runRows } from "./run-batch.js";
import type { BatchRow } from "./row.js";
import type { BatchOutcome } from "./runner.js";

/** How a batch of files ended. */
export interface BatchSummary extends BatchProgress {
  readonly output: string;
  /** Where rows that failed stand. */
  readonly errors: string;
  /** There was nothing to do, and no model was loaded. */
  readonly isNothing: boolean;
}

/** An output that is locked, whole and read. */
export interface OpenOutput {
  readonly header: RunHeader | undefined;
  readonly work: Work;
  readonly release: () => Promise<void>;
}

/**
 * Runs the rows of a file into an output. What is done stays done: the same call after a kill, a
 * full disk or a crash goes on, and every id and sample stands in the output once and whole.
 *
 * @param model - A model, which stays open; or a function that loads one, which is called once the
 * input was looked through, again after a crash of an isolated engine, and whose model is closed.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `INPUT_INVALID` for wrong rows, before
 * anything is written; `FILE_BUSY` when another process writes the output; `RUN_MISMATCH` when it was
 * made with another model or other options; `JOURNAL_INVALID` for a broken line in it; `NO_SPACE`,
 * `IO_FAILED` when it cannot be written on; `PACKAGE_MISSING`; what loading the model throws. An
 * abort rejects with `signal.reason`.
 * @example
 * ```ts
 * await runBatchFile(() => loadModel("R1.gguf", { sequences: 8 }), { input: "in.jsonl", output: "out.jsonl" });
 * ```
 */
export async function runBatchFile(
  model: ModelSource,
  options: BatchFileOptions,
): Promise<BatchSummary> {
  const config = normalizeFile(options);
  const { input, output, batch, shard } = config;
  batch.signal?.throwIfAborted();
  await refuseInputs([output, filesOf(output).errors, filesOf(output).header], [input], "output");
  const ledger = new Ledger();
  const looked = await lookThrough(input, batch.read, ledger, {
    samples: batch.samples,
    shard,
    signal: batch.signal,
  });
  if (looked.repeated > 0)
    config.onNotice(
      `${looked.repeated} rows say the same as an earlier one and are answered once; give rows ids, or ask for samples.`,
    );
  if (ledger.size === 0) return nothing(config, { total: 0, done: 0 });
  const opened = await openOutput(config, ledger, looked.samples);
  try {
    if (opened.work.done >= opened.work.total) return nothing(config, opened.work);
    return await run(model, config, ledger, opened);
  } finally {
    await opened.release();
  }
}

function nothing({ output }: FileConfig, work: Work): BatchSummary {
  const progress = new ProgressCounter();
  progress.expect(work.total, work.done);
  return { ...progress.snapshot(), output, errors: filesOf(output).errors, isNothing: true };
}

/** Locks the output, mends its end, and reads what it holds. */
export async function openOutput(
  config: FileConfig,
  ledger: Ledger,
  samples: number,
): Promise<OpenOutput> {
  const { output, batch, shard, onNotice } = config;
  const { errors } = filesOf(output);
  await checkOutput(output);
  await (await Journal.open(output)).close();
  const release = await lockOutput(output);
  try {
    const header = await readHeader(output);
    if (header !== undefined && !config.allowChange)
      compareOptions(output, header, shapeOf(config));
    for (const path of [output, errors]) {
      if (!(await stat(path).catch(() => undefined))) continue;
      const { aside, cut } = await mend(path);
      if (aside !== undefined)
        onNotice(`The last line of "${path}" was torn: its ${cut} bytes are in "${aside}" now.`);
      if (config.repair) {
        const broken = await repair(path);
        if (broken !== undefined)
          onNotice(`${broken.lines} broken lines of "${path}" are in "${broken.aside}" now.`);
      }
    }
    if (config.retryErrors) await moveAside(errors);
    const { samples: there, repeated } = await readDone(output, ledger);
    if (there > 0 && header === undefined && !config.allowChange)
      refuse(
        "output",
        `a new file, or one beside its header "${filesOf(output).header}" (\`allowChange\` goes on without it)`,
        output,
      );
    if (repeated > 0) onNotice(`"${output}" holds ${repeated} lines of samples it has already.`);
    await readDone(errors, ledger);
    return { header, work: countWork(ledger, batch, shard, samples), release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** An output is a file that lines can be appended to. */
async function checkOutput(output: string): Promise<void> {
  const facts = await stat(output).catch(() => undefined);
  if (/\.(gz|csv|parquet)$/i.test(output))
    refuse("output", "the name of a JSONL file (`batch export` writes other formats)", output);
  if (facts !== undefined && !facts.isFile())
    refuse("output", "a file, since a batch reads its own output when it goes on", output);
}

/** Rows that failed are tried again: their errors are of the past. */
async function moveAside(errors: string): Promise<void> {
  if (!(await stat(errors).catch(() => undefined))) return;
  await replaceFile(errors, errors.replace(/\.jsonl$/, `-${timeInName()}.jsonl`));
  await syncFolder(dirname(errors));
}

async function run(
  source: ModelSource,
  config: FileConfig,
  ledger: Ledger,
  { header, work }: OpenOutput,
): Promise<BatchSummary> {
  const { input, output, shard } = config;
  const progress = new ProgressCounter();
  progress.expect(work.total, work.done);
  await withModel(source, config, async ({ model, origin, batch, onModel }) => {
    await settleHeader(config, header, origin);
    const journals = await Journals.open(config, origin);
    const commit = (outcome: BatchOutcome): Promise<unknown> => journals.write(outcome);
    try {
      const isOpen = (row: BatchRow): boolean => new RowSamples(row, batch, ledger).isOpen;
      const rows = wantedRows(input, batch.read, shard, ledger, isOpen);
      const setup = { model, origin, progress, done: ledger, commit };
      for await (const outcome of runRows(rows, setup, batch, onModel)) config.onOutcome?.(outcome);
    } finally {
      await journals.close();
    }
  });
  return { ...progress.snapshot(), output, errors: filesOf(output).errors, isNothing: false };
}

/** Checks the model against the header, and writes it where it is new or was allowed to change. */
export async function settleHeader(
  config: FileConfig,
  header: RunHeader | undefined,
  { fingerprint, description }: Origin,
): Promise<void> {
  const { input, output, allowChange } = config;
  const facts: RunFacts = { model: { fingerprint, description }, options: shapeOf(config) };
  if (header === undefined) return writeHeader(output, input, facts, undefined);
  try {
    compareModel(output, header, facts.model);
    compareOptions(output, header, facts.options);
  } catch (error) {
    if (!allowChange) throw error;
    await writeHeader(output, input, facts, header);
  }
}
