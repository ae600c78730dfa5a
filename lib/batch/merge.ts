// mergeBatches: several outputs into one, each sample once. Runs on the JavaScript thread.
import { rm, stat } from "node:fs/promises";
import { array, fileName, flagOf, knownKeys, object, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { refuseInputs } from "../base/files/same-file.js";
import { AtomicFile, writeAll, writeFileAtomically } from "../base/files/writer.js";
import { filesOf, readHeader, saveHeader, type RunHeader } from "./header.js";
import { keyOf } from "./identity.js";
import { Ledger } from "./ledger.js";
import { LineWriter } from "./line-writer.js";
import { readLines, textOf } from "./lines.js";
import { knownSampleOf } from "./record.js";
import { readRecords } from "./records.js";

/** Options of {@link mergeBatches}. */
export interface MergeBatchOptions {
  /** Takes outputs of different models. @defaultValue false */
  readonly allowChange?: boolean | undefined;
  /** Replaces a file of the target's name. @defaultValue false */
  readonly force?: boolean | undefined;
}

/** A sample that two outputs have with different results. */
export interface MergeDifference {
  readonly id: string;
  readonly sample: number;
  readonly path: string;
}

/** What a merge wrote. */
export interface MergeSummary {
  readonly path: string;
  readonly records: number;
  /** Records of samples that an earlier output has with the same result. */
  readonly repeated: number;
  /** How many had another result; the earlier record was taken. */
  readonly different: number;
  /** The first 20 of them. */
  readonly differences: readonly MergeDifference[];
  /** Samples that stand in no output, but in an errors file. */
  readonly failed: number;
}

const MOST_DIFFERENCES = 20;

/**
 * Merges outputs, of shards or of runs on several machines. The first record of a sample counts;
 * later ones with another result are reported. The target is written whole or not at all, and gets
 * the header of the first output, so that a run can go on with it.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `RUN_MISMATCH` for outputs of different
 * models; `FILE_EXISTS` without `force`; `JOURNAL_INVALID`, `FILE_NOT_FOUND`, `NO_SPACE`, `IO_FAILED`.
 */
export async function mergeBatches(
  outputs: readonly (string | URL)[],
  target: string | URL,
  options: MergeBatchOptions = {},
): Promise<MergeSummary> {
  const given = object(options, "options");
  knownKeys(given, "mergeBatches", ["allowChange", "force"]);
  const paths = array(outputs, "outputs", fileName);
  if (paths.length === 0) refuse("outputs", "one output or more", outputs);
  const to = fileName(target, "target");
  return mergeOutputs(paths, to, {
    allowChange: flagOf(given, "allowChange"),
    force: flagOf(given, "force"),
    seen: new Ledger(),
  });
}

/** What a merge goes by, checked. */
export interface MergeSetup {
  readonly allowChange: boolean;
  readonly force: boolean;
  /** Gets every sample that the outputs have. */
  readonly seen: Ledger;
  /** Further lines for the errors file; called once all records and errors are known. */
  readonly moreErrors?: () => Promise<readonly string[]>;
}

/** Does what {@link mergeBatches} does, with arguments that are checked. */
export async function mergeOutputs(
  paths: readonly string[],
  to: string,
  { allowChange, force, seen, moreErrors }: MergeSetup,
): Promise<MergeSummary> {
  await refuseInputs([to], paths, "target");
  const header = await commonHeader(paths, allowChange);
  const file = await AtomicFile.create(to, { force });
  try {
    const counts = await mergeRecords(paths, file, seen);
    const errors = [...(await errorLines(paths, seen)), ...((await moreErrors?.()) ?? [])];
    await writeErrors(to, errors);
    if (header !== undefined) await saveHeader(to, header);
    await file.finish();
    return { path: to, ...counts, failed: errors.length };
  } catch (error) {
    throw fileFailure(error, to, "written");
  } finally {
    await file.discard();
  }
}

/** The header that all outputs have but for their shards. */
async function commonHeader(
  paths: readonly string[],
  allowChange: boolean,
): Promise<RunHeader | undefined> {
  let first: { readonly path: string; readonly header: RunHeader } | undefined;
  for (const path of paths) {
    const header = await readHeader(path);
    if (header === undefined) continue;
    first ??= { path, header };
    if (allowChange || header.model.fingerprint === first.header.model.fingerprint) continue;
    throw new R1Error(
      "RUN_MISMATCH",
      `"${path}" was made with ${header.model.description}, and "${first.path}" with ${first.header.model.description}: their files differ. Pass --allow-change to merge them all the same.`,
      { details: { path } },
    );
  }
  if (first === undefined) return undefined;
  const { shard: _shard, ...shape } = first.header.options;
  return { ...first.header, options: shape };
}

async function mergeRecords(
  paths: readonly string[],
  file: AtomicFile,
  seen: Ledger,
): Promise<Omit<MergeSummary, "path" | "failed">> {
  const writer = new LineWriter(file);
  // Of each sample a hash of its result, in the place of a line: a table of numbers again.
  const results = new Ledger();
  const differences: MergeDifference[] = [];
  let records = 0;
  let repeated = 0;
  let different = 0;
  for (const path of paths) {
    for await (const group of readRecords(path)) {
      for (const { record, text } of group) {
        const { id, sample, reasoning, answer, verified } = record;
        const [result] = keyOf(JSON.stringify([reasoning, answer]));
        const before = results.addRow(JSON.stringify([id, sample]), result >>> 1);
        if (before === undefined) {
          seen.addSample(id, sample, verified === true);
          records++;
          await writer.add(text);
        } else if (before === result >>> 1) repeated++;
        else if (different++ < MOST_DIFFERENCES) differences.push({ id, sample, path });
      }
    }
  }
  await writer.flush();
  return { records, repeated, different, differences };
}

/** The errors of samples that no output has. */
async function errorLines(paths: readonly string[], seen: Ledger): Promise<string[]> {
  const lines: string[] = [];
  for (const path of paths) {
    const { errors } = filesOf(path);
    if (!(await stat(errors).catch(() => undefined))) continue;
    for await (const group of readLines(errors)) {
      for (const line of group) {
        const text = textOf(line);
        const known = knownSampleOf(text);
        if (known === undefined || text === undefined) continue;
        if (seen.addSample(known.id, known.sample, false)) lines.push(text);
      }
    }
  }
  return lines;
}

/** Writes the errors file of the target, or removes the one of a target that is replaced. */
async function writeErrors(to: string, lines: readonly string[]): Promise<void> {
  const { errors } = filesOf(to);
  if (lines.length === 0) return rm(errors, { force: true });
  await writeFileAtomically(errors, { force: true }, async ({ handle }) => {
    await writeAll(handle, Buffer.from(`${lines.join("\n")}\n`), 0);
  });
}
