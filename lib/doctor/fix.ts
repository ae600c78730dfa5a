// Writes a copy of a model with the doctor's corrections to its metadata; the tensors are copied
// byte for byte. Asynchronous.
import * as check from "../base/check.js";
import { refuseInputs } from "../base/files/same-file.js";
import { refuseExisting } from "../base/files/writer.js";
import type { MetadataChange } from "./types.js";
import { diagnose } from "./doctor.js";
import { pairBool, pairText, pairU32 } from "../gguf/encode.js";
import type { GgufHeader } from "../gguf/format.js";
import { checkLength, readAllParts, SPLIT_KEYS } from "../gguf/shards.js";
import { rawPairs, writeModel, type FilePlan } from "../gguf/write-model.js";

/** Options of {@link fixGguf}. */
export interface FixOptions {
  /**
   * Overwrite an existing output file; never the input.
   * @defaultValue false
   */
  force?: boolean | undefined;
  /** Called with the share done, 0 to 1, at most once per frame. */
  onProgress?: ((progress: number) => void) | undefined;
  /** Aborts the copy and removes the output. */
  signal?: AbortSignal | undefined;
}

/** What {@link fixGguf} did. */
export interface FixResult {
  /** The file written; null if there was nothing to correct and no file was written. */
  readonly path: string | null;
  /** Its size. */
  readonly bytes: number;
  /** The differences to the input. */
  readonly changes: readonly MetadataChange[];
}

/** Encodes a changed scalar. */
function encode({ key, type, to }: MetadataChange): Buffer {
  if (type === "bool") return pairBool(key, to === true);
  return type === "str" ? pairText(key, String(to)) : pairU32(key, Number(to));
}

/**
 * Returns the metadata of the corrected file: every pair in its place, unchanged or corrected,
 * followed by missing pairs.
 */
async function correctedPairs(
  head: GgufHeader,
  changes: readonly MetadataChange[],
): Promise<Buffer[]> {
  const dropped: string[] = Object.values(SPLIT_KEYS);
  const keys = [...head.entries.keys()].filter((key) => !dropped.includes(key));
  const pairs = await rawPairs(head, dropped);
  for (const change of changes) {
    const at = keys.indexOf(change.key);
    const entry = head.entries.get(change.key);
    if (change.index === undefined) {
      if (at < 0) pairs.push(encode(change));
      else pairs[at] = encode(change);
      continue;
    }
    const pair = pairs[at];
    if (pair === undefined || entry?.type !== "arr")
      throw new TypeError(`${change.key} is no array`);
    // The elements, 4 bytes each, are at the end of the pair.
    const copy = Buffer.from(pair);
    copy.writeInt32LE(Number(change.to), copy.length - (entry.elements.length - change.index) * 4);
    pairs[at] = copy;
  }
  return pairs;
}

/**
 * Writes a copy of a model with corrected metadata: every change that `diagnose` lists in its
 * findings, and no others. Tensors are copied byte for byte, in pieces. The copy of a split model
 * is one file.
 *
 * @param source - A local file; the first part of a split model.
 * @param out - The file to write, never the input. Until it is complete it has a temporary name,
 * `<out>.<process>.partial`.
 * @returns What was written. If there is nothing to correct, no file is written.
 * @throws {R1Error} like `checkModelFiles` on the parts; `FILE_EXISTS`, `NO_SPACE` (checked before
 * writing), `IO_FAILED`, `INVALID_ARGUMENT` (a URL, or the input as output), `UNKNOWN_OPTION`; the
 * signal's reason.
 */
export async function fixGguf(
  source: string,
  out: string,
  options: FixOptions = {},
): Promise<FixResult> {
  check.filePath(source, "source");
  check.filePath(out, "out");
  check.knownKeys(check.object(options, "options"), "fixGguf", ["force", "onProgress", "signal"]);
  if (options.onProgress !== undefined) check.callback(options.onProgress, "onProgress");
  const force = check.boolean(options.force ?? false, "force");
  const signal = options.signal === undefined ? undefined : check.signal(options.signal, "signal");
  signal?.throwIfAborted();
  if (/^https?:\/\//i.test(source))
    check.refuse(
      "source",
      "a local file, since a copy is made of all of it (download it first)",
      source,
    );
  const headers = await readAllParts(source, signal);
  await refuseInputs(
    [out],
    headers.map(({ path }) => path),
    "out",
  );
  if (!force) await refuseExisting(out);
  for (const header of headers) checkLength(header);
  const { findings } = await diagnose(source, signal === undefined ? {} : { signal });
  const changes = findings.flatMap((finding) => finding.changes);
  if (changes.length === 0) return { path: null, bytes: 0, changes };
  const plan: FilePlan = {
    pairs: await correctedPairs(headers[0], changes),
    tensors: headers.flatMap((header) =>
      header.tensors.map((tensor) => ({ tensor, source: header })),
    ),
    alignment: headers[0].alignment,
  };
  const bytes = await writeModel(plan, out, { force, signal, onProgress: options.onProgress });
  return { path: out, bytes, changes };
}
