// Checks a model's files before llama.cpp sees them: everything is present and readable, and
// nothing in them would end the process. Asynchronous and in slices: the event loop keeps running.
import { R1Error, isR1Error } from "../../base/errors.js";
import { checkHyperparameters, type ModelShape } from "./check-hyperparameters.js";
import { checkTensors } from "./check-tensors.js";
import { checkVocabulary, type VocabularyFacts } from "./check-vocabulary.js";
import type { GgufHeader } from "../format.js";
import { Metadata, type MetadataOverride, type MetadataSummary } from "../metadata.js";
import { Pacer } from "../pacer.js";
import { checkLength, readAllParts } from "../shards.js";

/** The files of a checked model, and what they contain. */
export interface CheckedModel extends ModelShape, VocabularyFacts {
  /** The file, or all parts of a split model in order. */
  readonly paths: string[];
  /** The same files, each with the offset at which its header ends. Unit: bytes. */
  readonly parts: readonly { readonly path: string; readonly headerBytes: number }[];
  /** Bytes of all files. */
  readonly sizeBytes: number;
  /** GGUF version, 2 or 3. */
  readonly version: number;
  /** Number of tensors in all parts. */
  readonly tensorCount: number;
  /** The tensors themselves, without their data. */
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
  /** Number of values in all tensors. */
  readonly parameters: number;
  /** `tokenizer.chat_template`, if the file has one. */
  readonly chatTemplate?: string | undefined;
  /** All metadata of the first part: scalars unchanged, arrays by length and first elements. */
  readonly metadata: MetadataSummary;
}

/**
 * Checks a model's files.
 *
 * @param path - The file, or the first part of a split model.
 * @param options - `signal` aborts the check; `overrides` take precedence over the file's own
 * metadata.
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_IS_DIRECTORY`, `FILE_EMPTY`,
 * `FILE_TRUNCATED`, `NOT_GGUF`, `SHARD_MISSING`, `SHARD_INVALID`, `GGUF_INVALID` (a header or a
 * value that llama.cpp would refuse or abort on), `MODEL_UNSUPPORTED` (no vocabulary),
 * `INVALID_ARGUMENT` (overrides that make a good file invalid, or that llama.cpp would ignore).
 * Nothing else, except the signal's reason if it aborts.
 */
export async function checkModelFiles(
  path: string,
  options: { signal?: AbortSignal; overrides?: readonly MetadataOverride[] } = {},
): Promise<CheckedModel> {
  const { signal, overrides = [] } = options;
  const pacer = new Pacer(signal);
  const headers = await readAllParts(path, signal);
  const [first] = headers;
  for (const header of headers) checkLength(header);
  const metadata = new Metadata(first, overrides);
  if (overrides.length === 0) return check(path, headers, metadata, pacer);
  try {
    return await check(path, headers, metadata, pacer);
  } catch (error) {
    if (!isR1Error(error)) throw error;
    // A file that is invalid even without the overrides fails here, with its own error.
    await check(path, headers, new Metadata(first), pacer);
    const what = error.message.replace(/ Download it again.*$/, "");
    throw new R1Error(
      "INVALID_ARGUMENT",
      `\`metadataOverrides\` spoil a good file: with them ${what} Take the override out, or set another value.`,
      {
        cause: error,
        details: { option: "metadataOverrides" },
      },
    );
  }
}

async function check(
  path: string,
  headers: readonly [GgufHeader, ...GgufHeader[]],
  metadata: Metadata,
  pacer: Pacer,
): Promise<CheckedModel> {
  const [first] = headers;
  if (first.tensors.length === 0 && headers.length === 1)
    metadata.invalid("it holds no tensors (a vocabulary alone?)");
  const shape = checkHyperparameters(metadata, first.entries.keys());
  for (const header of headers) checkTensors(header, shape);
  const vocabulary = await checkVocabulary(metadata, path, pacer);
  const chatTemplate = metadata.text("tokenizer.chat_template");
  let parameters = 0;
  for (const header of headers)
    for (const tensor of header.tensors) parameters += tensor.shape.reduce((a, b) => a * b, 1);
  return {
    ...shape,
    ...vocabulary,
    paths: headers.map((header) => header.path),
    parts: headers.map(({ path: at, dataOffset }) => ({ path: at, headerBytes: dataOffset })),
    sizeBytes: headers.reduce((sum, header) => sum + header.fileBytes, 0),
    version: first.version,
    tensorCount: headers.reduce((sum, header) => sum + header.tensors.length, 0),
    tensors: headers.flatMap((header) => header.tensors),
    parameters,
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    metadata: metadata.summary(),
  };
}
