// The header of a run, a small file beside its output: which model and which options made the
// records, so that a later run cannot mix in others. Runs on the JavaScript thread.
import { readFile } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { writeAll, writeFileAtomically } from "../base/files/writer.js";
import { canonical } from "../base/schema/values.js";

const FORMAT = 1;

/** What a run was made with. */
export interface RunFacts {
  /** Fingerprint and description of the model. */
  readonly model: { readonly fingerprint: string; readonly description: string };
  /** Every option that shapes what is written. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The header as it stands in its file. */
export interface RunHeader extends RunFacts {
  readonly format: number;
  /** Path of the input, as it was given. */
  readonly input: string;
  readonly created: string;
  /** Facts of earlier runs, where a change was allowed. */
  readonly earlier?: readonly (RunFacts & { readonly until: string })[];
}

const stemOf = (path: string): string => path.replace(/\.jsonl$/i, "");

/** This moment, as a part of a file's name. */
export const timeInName = (): string => new Date().toISOString().replace(/[:.]/g, "-");

/** A name for bytes that are moved out of a file, beside it. */
export const asideName = (path: string, what: "torn" | "broken"): string =>
  `${stemOf(path)}.${what}-${timeInName()}`;

/** Files that belong to an output. */
export function filesOf(output: string): {
  readonly header: string;
  readonly errors: string;
  readonly lock: string;
} {
  const stem = stemOf(output);
  return { header: `${stem}.r1batch.json`, errors: `${stem}.errors.jsonl`, lock: `${stem}.lock` };
}

/**
 * The header of an output; undefined if it has none.
 *
 * @throws {R1Error} `RUN_MISMATCH` for a file that is no header, or of a later version.
 */
export async function readHeader(output: string): Promise<RunHeader | undefined> {
  const path = filesOf(output).header;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileFailure(error, path, "read");
  }
  try {
    const header = JSON.parse(text) as RunHeader;
    if (header.format === FORMAT && typeof header.model.fingerprint === "string") return header;
  } catch {
    // Said below.
  }
  throw new R1Error(
    "RUN_MISMATCH",
    `"${path}" is not the header of a batch that this version wrote. Choose another output, or move the file away and pass --allow-change.`,
    { details: { path } },
  );
}

/** Writes the header of a run. @throws {R1Error} those of writing files. */
export async function writeHeader(
  output: string,
  input: string,
  facts: RunFacts,
  before: RunHeader | undefined,
): Promise<void> {
  const now = new Date().toISOString();
  const header: RunHeader = {
    format: FORMAT,
    input,
    created: before?.created ?? now,
    model: facts.model,
    options: facts.options,
    ...(before === undefined
      ? {}
      : {
          earlier: [
            ...(before.earlier ?? []),
            { model: before.model, options: before.options, until: now },
          ],
        }),
  };
  await saveHeader(output, header);
}

/** Writes a header beside its output. @throws {R1Error} those of writing files. */
export async function saveHeader(output: string, header: RunHeader): Promise<void> {
  await writeFileAtomically(filesOf(output).header, { force: true }, async ({ handle }) => {
    await writeAll(handle, Buffer.from(`${JSON.stringify(header, null, 2)}\n`), 0);
  });
}

/** A value of an option for messages, cut to 60 characters. */
export const shown = (value: unknown): string => {
  const text = value === undefined ? "not given" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** Names of options that differ; both sides are plain JSON. */
export const changedOptions = (
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
    (name) => canonical(before[name]) !== canonical(now[name]),
  );

function refuse(output: string, changes: readonly string[]): never {
  throw new R1Error(
    "RUN_MISMATCH",
    `"${output}" was made otherwise: ${changes.join("; ")}. Start it as it was, choose another output, or pass --allow-change to go on with records of both kinds.`,
    { details: { path: output, changes } },
  );
}

/**
 * @param options - As `shapeOf` has them.
 * @throws {R1Error} `RUN_MISMATCH` naming each option that differs.
 */
export function compareOptions(
  output: string,
  { options: before }: RunHeader,
  options: Readonly<Record<string, unknown>>,
): void {
  const changes = changedOptions(before, options).map(
    (name) => `${name} was ${shown(before[name])} and is ${shown(options[name])}`,
  );
  if (changes.length > 0) refuse(output, changes);
}

/** @throws {R1Error} `RUN_MISMATCH` when the model is another one. */
export function compareModel(output: string, before: RunHeader, model: RunFacts["model"]): void {
  if (before.model.fingerprint === model.fingerprint) return;
  refuse(output, [
    `the model was ${before.model.description} (${before.model.fingerprint.slice(0, 16)}) and is ${model.description} (${model.fingerprint.slice(0, 16)})`,
  ]);
}
