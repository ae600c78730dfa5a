// Inspects model files, local or remote, without loading them: metadata, tensors, variant,
// completeness and problems.
import * as check from "../base/check.js";
import { isR1Error, R1Error } from "../base/errors.js";
import type { Variant } from "../base/types.js";
import { detectVariant } from "../template/variants.js";
import { checkHyperparameters, type ModelShape } from "./check/check-hyperparameters.js";
import { checkTensors } from "./check/check-tensors.js";
import { checkVocabulary } from "./check/check-vocabulary.js";
import type { GgufHeader } from "./format.js";
import type { RemoteOptions } from "./inspect-remote.js";
import { findLoadProblem } from "./check/load-problem.js";
import { Metadata, type MetadataSummary } from "./metadata.js";
import { Pacer } from "./pacer.js";
import { lowestHeader, readParts, type ReadParts } from "./read-parts.js";
import { missingTensors } from "./check/required-tensors.js";
import { checkParts } from "./shards.js";

/** Options of {@link inspectGguf}. */
export interface InspectOptions extends RemoteOptions {
  /**
   * Inspect only the given file, not the other parts of a split model.
   * @defaultValue false
   */
  onlyThisFile?: boolean | undefined;
}

/** One tensor. */
export interface InspectedTensor {
  /** Its name in the file. */
  readonly name: string;
  /** Innermost dimension first. */
  readonly shape: readonly number[];
  /** ggml's type name. */
  readonly type: string;
  /** Bytes of its data, without padding. */
  readonly bytes: number;
  /** Number of the part that contains it, from 1. */
  readonly part: number;
}

/** What {@link inspectGguf} found. */
export interface Inspection {
  /** The paths or URLs inspected. */
  readonly sources: readonly string[];
  /**
   * Whether they were read over HTTP. If so, checks that need the vocabulary's bytes are skipped.
   */
  readonly isRemote: boolean;
  /** GGUF version. */
  readonly version: number;
  /** `general.architecture`; empty if the file has none. */
  readonly architecture: string;
  /** `general.name`; empty if the file has none. */
  readonly name: string;
  /** The release of R1 that the vocabulary belongs to. */
  readonly variant: Variant;
  /**
   * How K and V are stored: `mla` as one latent row, `legacy` for a DeepSeek file without MLA keys,
   * `standard` as K and V heads.
   */
  readonly attention: "mla" | "legacy" | "standard";
  /** Bytes of the files inspected. */
  readonly sizeBytes: number;
  /** Number of weights, over all tensors of the files inspected. */
  readonly parameters: {
    /** All weights. */
    readonly total: number;
    /** Weights that take part in computing one token: of the experts, only those in use. */
    readonly active: number;
  };
  /** Bits of tensor data per weight; 0 for files without tensors. */
  readonly bitsPerWeight: number;
  /**
   * Tensors by type, the type with the most bytes first: number of tensors, their weights and their
   * bytes.
   */
  readonly types: readonly {
    readonly type: string;
    readonly tensors: number;
    readonly parameters: number;
    readonly bytes: number;
  }[];
  /** Every tensor, part by part, in file order. */
  readonly tensors: readonly InspectedTensor[];
  /**
   * Parts of a split model: the number expected, the number present, and the paths or URLs of the
   * missing ones. One part if the model is not split.
   */
  readonly parts: {
    readonly expected: number;
    readonly present: number;
    readonly missing: readonly string[];
  };
  /** Whether the file holds a chat template. */
  readonly hasChatTemplate: boolean;
  /** All metadata by key. For an array: its type, length and first elements. */
  readonly metadata: MetadataSummary;
  /** Layers, heads, experts and lengths; undefined if the metadata is inconsistent. */
  readonly shape: ModelShape | undefined;
  /**
   * Why `loadModel` would refuse the files, with the code and message of its error; empty if it
   * would not. A local model without visible problems is also tried in a child process, like before
   * its first load. For a remote model, and for one part of several with `onlyThisFile`, only the
   * header is checked.
   */
  readonly problems: readonly { readonly code: string; readonly message: string }[];
}

function countParameters(
  headers: Iterable<GgufHeader>,
  architecture: string,
  metadata: Metadata,
): { total: number; active: number } {
  const number = (key: string): number => {
    const entry = metadata.entry(`${architecture}.${key}`);
    return entry?.type === "u32" ? (entry.value as number) : 0;
  };
  const [experts, used] = [number("expert_count"), number("expert_used_count")];
  let total = 0;
  let active = 0;
  for (const header of headers) {
    for (const { name, shape } of header.tensors) {
      const values = shape.reduce((a, b) => a * b, 1);
      total += values;
      active += /_exps\./.test(name) && experts > 0 ? (values * used) / experts : values;
    }
  }
  return { total, active: Math.round(active) };
}

function byType(tensors: readonly InspectedTensor[]): Inspection["types"] {
  const sums = new Map<
    string,
    { type: string; tensors: number; parameters: number; bytes: number }
  >();
  for (const { type, shape, bytes } of tensors) {
    const sum = sums.get(type) ?? { type, tensors: 0, parameters: 0, bytes: 0 };
    sums.set(type, sum);
    sum.tensors++;
    sum.parameters += shape.reduce((a, b) => a * b, 1);
    sum.bytes += bytes;
  }
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes);
}

function variantOf(metadata: Metadata, architecture: string): Variant {
  const kinds: Readonly<Record<number, string>> = { 2: "unknown", 3: "control", 4: "user-defined" };
  const tokens = metadata.entry("tokenizer.ggml.tokens");
  const types = metadata.entry("tokenizer.ggml.token_type");
  if (tokens?.type !== "arr" || types?.type !== "arr") return "other";
  const specialTokens: { id: number; text: string; kind: string }[] = [];
  for (let id = 0; id < tokens.elements.length; id++) {
    const kind = kinds[Number(types.elements.at(id))];
    if (kind !== undefined) specialTokens.push({ id, text: String(tokens.elements.at(id)), kind });
  }
  const id = (role: string): number => {
    const entry = metadata.entry(`tokenizer.ggml.${role}_token_id`);
    return entry?.type === "u32" ? (entry.value as number) : -1;
  };
  const vocab = {
    bos: id("bos"),
    eos: id("eos"),
    pad: id("padding"),
    size: tokens.elements.length,
  };
  return detectVariant({ architecture, vocab, specialTokens }).variant;
}

/** @throws {R1Error} `MODEL_LOAD_FAILED`, the load's own code, if tensors are missing. */
function refuseMissing(shape: ModelShape, headers: readonly GgufHeader[]): void {
  const names = new Set(headers.flatMap(({ tensors }) => tensors.map(({ name }) => name)));
  const missing = missingTensors(shape, names);
  const [one] = missing;
  if (one === undefined) return;
  const others = missing.length === 1 ? "" : ` and ${missing.length - 1} others`;
  throw new R1Error(
    "MODEL_LOAD_FAILED",
    `"${headers[0]?.path ?? ""}" lacks the tensor "${one}"${others}. Download it again, or convert the model again.`,
    { details: { missing } },
  );
}

/** Finds what loading would complain about. */
async function findProblems(
  { isRemote, missing, expected, ...parts }: ReadParts,
  first: GgufHeader,
  signal: AbortSignal | undefined,
): Promise<Pick<Inspection, "problems" | "shape">> {
  const headers = [...parts.headers.values()];
  let shape: ModelShape | undefined;
  const problems: { code: string; message: string }[] = [];
  const note = (error: unknown): void => {
    if (!isR1Error(error)) throw error;
    const { code, message }: R1Error = error;
    problems.push({ code, message });
  };
  if (missing.length > 0)
    problems.push({ code: "SHARD_MISSING", message: `Parts are missing: ${missing.join(", ")}.` });
  for (const { path, fileBytes, dataEnd, tensors } of headers) {
    if (tensors.length > 0 && fileBytes > 0 && fileBytes < dataEnd) {
      problems.push({
        code: "FILE_TRUNCATED",
        message: `"${path}" is cut short: its tensors reach to byte ${dataEnd}, the file ends at ${fileBytes}.`,
      });
    }
  }
  if (missing.length === 0) {
    try {
      checkParts(headers);
    } catch (error) {
      note(error);
    }
  }
  const metadata = new Metadata(first);
  const isWhole = headers.length === expected;
  if (metadata.entry("general.architecture") !== undefined) {
    try {
      shape = checkHyperparameters(metadata, first.entries.keys());
      for (const header of headers) checkTensors(header, shape);
      if (isRemote && isWhole) refuseMissing(shape, headers);
    } catch (error) {
      note(error);
    }
    // Only a local file provides the raw bytes of the vocabulary.
    if (!isRemote) await checkVocabulary(metadata, first.path, new Pacer(signal)).catch(note);
  }
  if (problems.length === 0 && !isRemote && isWhole) {
    const problem = await findLoadProblem(first.path, signal);
    if (problem !== undefined) problems.push(problem);
  }
  return { problems, shape };
}

/**
 * Inspects a model's files without loading them.
 *
 * @param source - A path or an `http(s)` URL of a GGUF file (any part of a split model), or a model
 * on the Hub, `hf:owner/name:QUANT`. For a remote file a few megabytes are fetched by range
 * requests; a reference uses the same token as `downloadModel`.
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_IS_DIRECTORY`, `FILE_EMPTY`,
 * `FILE_TRUNCATED` (inside the header), `NOT_GGUF`, `GGUF_INVALID` (the header cannot be read),
 * `NETWORK_FAILED` and `TIMEOUT` (remote files), `INVALID_ARGUMENT`, `UNKNOWN_OPTION`,
 * `SHARD_MISSING` (references), `RESOURCE_EXHAUSTED` (no process to try a local model in); the
 * signal's reason. Problems beyond the header are reported in `problems`.
 */
export async function inspectGguf(
  source: string,
  options: InspectOptions = {},
): Promise<Inspection> {
  check.string(source, "source");
  check.knownKeys(check.object(options, "options"), "inspectGguf", [
    "headers",
    "fetch",
    "signal",
    "onRetry",
    "onlyThisFile",
  ]);
  if (options.onRetry !== undefined) check.callback(options.onRetry, "onRetry");
  if (options.signal !== undefined) check.signal(options.signal, "signal");
  options.signal?.throwIfAborted();
  const parts = await readParts(source, options, options.onlyThisFile ?? false);
  return inspectParts(parts, options.signal);
}

/** Computes the result of {@link inspectGguf} from headers that were already read. */
export async function inspectParts(
  parts: ReadParts,
  signal: AbortSignal | undefined,
): Promise<Inspection> {
  const { headers, isRemote, expected, missing } = parts;
  const all = [...headers.values()];
  const first = lowestHeader(parts);
  const metadata = new Metadata(first);
  const text = (key: string): string => {
    const entry = metadata.entry(key);
    return entry?.type === "str" ? (entry.value as string) : "";
  };
  const architecture = text("general.architecture");
  const tensors = [...headers].flatMap(([part, header]) =>
    header.tensors.map(({ name, shape, type, bytes }) => ({
      name,
      shape,
      type: type.name,
      bytes,
      part,
    })),
  );
  const parameters = countParameters(all, architecture, metadata);
  const isMla = ["key", "value"].every((kind) => {
    const entry = metadata.entry(`${architecture}.attention.${kind}_length_mla`);
    return entry !== undefined && entry.type !== "arr" && Number(entry.value) > 0;
  });
  return {
    sources: all.map(({ path }) => path),
    isRemote,
    version: first.version,
    architecture,
    name: text("general.name"),
    variant: variantOf(metadata, architecture),
    attention: isMla ? "mla" : architecture === "deepseek2" ? "legacy" : "standard",
    sizeBytes: all.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
    parameters,
    bitsPerWeight:
      parameters.total === 0
        ? 0
        : (tensors.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / parameters.total,
    types: byType(tensors),
    tensors,
    parts: { expected, present: headers.size, missing },
    hasChatTemplate: text("tokenizer.chat_template") !== "",
    metadata: metadata.summary(),
    ...(await findProblems(parts, first, signal)),
  };
}
