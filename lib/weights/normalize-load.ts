// Checks loadModel's options once and makes one complete, frozen object of them. Runs on any
// JavaScript thread.
import { resolve } from "node:path";
import {
  array,
  boolean,
  callback,
  integer,
  knownKeys,
  number,
  object,
  oneOf,
  refuse,
  signal,
  string,
} from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { FILE_ROPE } from "../binding/file-rope.js";
import type { NativeEngineConfig } from "../binding/native.js";
import type { NativeMetadataOverride } from "../binding/native-quantize.js";
import { CACHE_TYPES } from "./cache-types.js";
import { checkEndpoints } from "../rpc/endpoint.js";
import type { Endpoint } from "../rpc/endpoint.js";
import type { LoadOptions, MetadataValue } from "./load-options.js";

/** Every option of a load with its value. */
export type LoadConfig = Readonly<ReturnType<typeof complete>>;

type Check = (value: unknown, path: string) => unknown;
const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
const MAX_TENSOR_SPLIT = 16;
const MAX_OVERRIDE_BYTES = 127;
const MIN_KEY_BYTES = 16;

const logger: Check = (value, path) => {
  if (typeof value === "function") return value;
  const methods = object(value, path);
  const given = LOG_LEVELS.filter((level) => methods[level] !== undefined);
  for (const level of given) callback(methods[level], `${path}.${level}`);
  if (given.length === 0)
    refuse(path, `a function, or an object with a function ${LOG_LEVELS.join(", ")}`, value);
  return value;
};

/** Entries of `tensorOverrides`, and characters of one pattern; llama.cpp's names have 63. */
const MAX_OVERRIDES = 512;
const MAX_PATTERN = 1000;

const tensorOverrides: Check = (value, path) => {
  const entries = Array.isArray(value)
    ? array(value, path, (entry, at) => {
        const given = object(entry, at);
        knownKeys(given, at, ["pattern", "buffer"]);
        const { pattern, buffer } = given;
        return {
          pattern: string(pattern, `${at}.pattern`),
          buffer: string(buffer, `${at}.buffer`),
        };
      })
    : Object.entries(object(value, path)).map(([pattern, buffer]) => ({
        pattern: string(pattern, path),
        buffer: string(buffer, `${path}["${pattern}"]`),
      }));
  if (entries.length > MAX_OVERRIDES) refuse(path, `at most ${MAX_OVERRIDES} entries`, value);
  for (const { pattern } of entries)
    if (pattern.length > MAX_PATTERN)
      refuse(path, `patterns of at most ${MAX_PATTERN} characters`, pattern);
  return entries.map((entry) => Object.freeze(entry));
};

function metadataOverride(key: string, given: unknown, path: string): NativeMetadataOverride {
  if (Buffer.byteLength(key) > MAX_OVERRIDE_BYTES)
    refuse(path, `a key of at most ${MAX_OVERRIDE_BYTES} bytes`, key);
  const long = typeof given === "object" && given !== null ? object(given, path) : undefined;
  if (long !== undefined) knownKeys(long, path, ["kind", "value"]);
  const value = long === undefined ? given : long.value;
  const kind =
    long !== undefined
      ? oneOf(long.kind, `${path}.kind`, ["int", "float", "bool", "string"])
      : typeof value === "number"
        ? Number.isInteger(value)
          ? "int"
          : "float"
        : typeof value === "boolean"
          ? "bool"
          : "string";
  if (kind === "int") integer(value, path, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  else if (kind === "float") number(value, path, -Number.MAX_VALUE, Number.MAX_VALUE);
  else if (kind === "bool") boolean(value, path);
  else if (Buffer.byteLength(string(value, path, true)) > MAX_OVERRIDE_BYTES)
    refuse(path, `a string of at most ${MAX_OVERRIDE_BYTES} bytes`, value);
  return { key, kind, value: value as number | boolean | string };
}

const metadataOverrides: Check = (value, path) =>
  Object.entries(object(value, path) as Record<string, MetadataValue>).map(([key, given]) =>
    metadataOverride(string(key, path), given, `${path}["${key}"]`),
  );

const rope: Check = (value, path) => {
  const given = object(value, path);
  knownKeys(given, path, Object.keys(FILE_ROPE));
  const merged: Record<string, unknown> = { ...FILE_ROPE };
  for (const [key, entry] of Object.entries(given)) {
    if (entry === undefined) continue;
    if (key === "scaling")
      merged[key] = oneOf(entry, `${path}.scaling`, ["file", "none", "linear", "yarn", "longrope"]);
    else if (key === "yarnOrigCtx")
      merged[key] = integer(entry, `${path}.yarnOrigCtx`, 0, 2 ** 31 - 1);
    else merged[key] = number(entry, `${path}.${key}`, key.startsWith("yarn") ? -1e9 : 0, 1e9);
  }
  return Object.freeze(merged);
};

const count =
  (min: number, max: number): Check =>
  (value, path) =>
    integer(value, path, min, max);
const choice =
  (...values: readonly string[]): Check =>
  (value, path) =>
    oneOf(value, path, values);

/** One check an option; the compiler sees to it that none is missing. */
const CHECKS = {
  contextSize: count(0, 2 ** 31 - 1),
  batchSize: count(1, 2 ** 20),
  ubatchSize: count(1, 2 ** 20),
  threads: count(1, 512),
  threadsBatch: count(1, 512),
  cacheTypeK: choice(...CACHE_TYPES),
  cacheTypeV: choice(...CACHE_TYPES),
  flashAttention: choice("auto", "on", "off"),
  gpuLayers: (value, path) =>
    value === "auto" || value === "all"
      ? value
      : typeof value === "number"
        ? integer(value, path, 0, 10_000)
        : refuse(path, 'a number of layers, "auto" or "all"', value),
  backendDir: (value, path) => resolve(string(value, path)),
  devices: (value, path) => array(value, path, (name, at) => string(name, at)),
  rpc: checkEndpoints,
  isolation: choice("none", "process"),
  trial: choice("auto", "always", "never"),
  mainGpu: count(0, 1023),
  tensorSplit: (value, path) => {
    const shares = array(value, path, (share, at) => number(share, at, 0, 1e15));
    return shares.length > MAX_TENSOR_SPLIT
      ? refuse(path, `at most ${MAX_TENSOR_SPLIT} shares`, value)
      : shares;
  },
  splitMode: choice("none", "layer", "row"),
  tensorOverrides,
  cpuMoe: boolean,
  nCpuMoe: count(0, 10_000),
  loadMode: choice("auto", "none", "mmap", "mlock", "direct"),
  numa: choice("disabled", "distribute", "isolate", "numactl"),
  priority: choice("normal", "medium", "high", "realtime"),
  checkTensors: boolean,
  rope,
  metadataOverrides,
  logger,
  sequences: count(1, 256),
  kvUnified: boolean,
  maxQueue: count(0, 1_000_000),
  prefixCache: boolean,
  maxDraft: count(0, 64),
  sessionKey: (value, path) => {
    if (typeof value !== "string" && !(value instanceof Uint8Array))
      refuse(path, "a string or a Uint8Array", value);
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value.slice();
    // Neither the key nor its length goes into an error.
    if (bytes.length < MIN_KEY_BYTES)
      throw new R1Error(
        "INVALID_ARGUMENT",
        `\`${path}\` must have at least ${MIN_KEY_BYTES} bytes. Take random ones, e.g. \`crypto.randomBytes(32)\`, and keep them where the sessions cannot be read.`,
        { details: { option: path } },
      );
    return bytes;
  },
  draftModel: (value, path) => (value instanceof URL ? value : string(value, path)),
  deterministic: boolean,
  warmup: boolean,
  poll: count(0, 100),
  repack: boolean,
  offloadKqv: boolean,
  opOffload: boolean,
  onProgress: (value, path) => callback(value, path),
  onDownload: (value, path) => callback(value, path),
  signal,
} as const satisfies Record<keyof LoadOptions, Check>;

/** Names of all options of a load; the command line derives its own from these. */
export const LOAD_KEYS: readonly (keyof LoadOptions)[] = Object.freeze(
  Object.keys(CHECKS) as (keyof LoadOptions)[],
);

/**
 * llama.cpp's `--cpu-moe` and `--n-cpu-moe` as tensor overrides: expert weights of all layers, or
 * of the first `n`.
 */
function expertOverrides(all: boolean, n: number): { pattern: string; buffer: string }[] {
  const experts = "ffn_(up|down|gate|gate_up)_(ch|)exps";
  if (all) return [{ pattern: `\\.${experts}`, buffer: "CPU" }];
  return Array.from({ length: n }, (_, layer) => ({
    pattern: `blk\\.${layer}\\.${experts}`,
    buffer: "CPU",
  }));
}

/** A share of the context that holds a reasoning model's turn. Unit: tokens. */
const ROOMY_SHARE = 4096;

/**
 * Cells of its own for each sequence are faster (docs/decisions/kv-unified.md), as long as the
 * share is large enough to work with; else one pool, of which each takes what it needs. A context
 * of 0 is the training context, not known yet.
 */
function sharesOnePool(contextSize: number, sequences: number): boolean {
  return sequences === 1 || contextSize === 0 || contextSize / sequences < ROOMY_SHARE;
}

function complete(given: LoadOptions) {
  const threads = given.threads ?? 0;
  const batchSize = given.batchSize ?? 2048;
  if (given.ubatchSize !== undefined && given.ubatchSize > batchSize)
    refuse("ubatchSize", `a number of at most \`batchSize\` (${batchSize})`, given.ubatchSize);
  const sequences = given.sequences ?? 1;
  if (sequences > batchSize)
    refuse(
      "batchSize",
      `a number of at least \`sequences\` (${sequences}), one token for each`,
      batchSize,
    );
  // A step verifies the drafts of all sequences in one batch.
  const mostDraft = Math.floor(batchSize / sequences) - 1;
  if (given.maxDraft !== undefined && given.maxDraft > mostDraft)
    refuse(
      "maxDraft",
      `at most ${mostDraft}, so that a batch of ${batchSize} holds a draft of each of ${sequences} sequences`,
      given.maxDraft,
    );
  if (given.deterministic === true && given.kvUnified === true && sequences > 1)
    refuse(
      "kvUnified",
      "false or left out beside `deterministic`: in one pool the cells of others change last bits",
      true,
    );
  const overrides = (given.tensorOverrides ?? []) as readonly { pattern: string; buffer: string }[];
  return {
    contextSize: given.contextSize ?? 8192,
    batchSize,
    ubatchSize: given.ubatchSize ?? Math.min(512, batchSize),
    /** 0: by the model's size, see settleThreads(). */
    threads,
    threadsBatch: given.threadsBatch ?? threads,
    /** undefined: not asked for. */
    cacheTypeK: given.cacheTypeK,
    cacheTypeV: given.cacheTypeV,
    flashAttention: given.flashAttention ?? "auto",
    gpuLayers: given.gpuLayers ?? "auto",
    backendDir: given.backendDir,
    devices: given.devices ?? [],
    rpc: (given.rpc ?? []) as unknown as readonly Endpoint[],
    isolation: given.isolation ?? ((given.rpc?.length ?? 0) > 0 ? "process" : "none"),
    trial: given.trial ?? "auto",
    mainGpu: given.mainGpu ?? 0,
    tensorSplit: given.tensorSplit ?? [],
    splitMode: given.splitMode ?? "layer",
    tensorOverrides: [...overrides, ...expertOverrides(given.cpuMoe ?? false, given.nCpuMoe ?? 0)],
    loadMode: given.loadMode ?? "auto",
    numa: given.numa ?? "disabled",
    priority: given.priority ?? "normal",
    checkTensors: given.checkTensors ?? false,
    rope: (given.rope ?? FILE_ROPE) as NativeEngineConfig["rope"],
    metadataOverrides: (given.metadataOverrides ??
      []) as unknown as readonly NativeMetadataOverride[],
    logger: given.logger,
    sequences,
    kvUnified:
      given.kvUnified ??
      (given.deterministic !== true && sharesOnePool(given.contextSize ?? 8192, sequences)),
    maxQueue: given.maxQueue ?? 1024,
    prefixCache: given.prefixCache ?? true,
    maxDraft: given.maxDraft ?? Math.min(16, mostDraft),
    draftModel: given.draftModel,
    sessionKey: (given.sessionKey ?? null) as Uint8Array | null,
    deterministic: given.deterministic ?? false,
    warmup: given.warmup ?? true,
    poll: given.poll ?? 50,
    repack: given.repack ?? true,
    offloadKqv: given.offloadKqv ?? true,
    opOffload: given.opOffload ?? true,
    onProgress: given.onProgress,
    onDownload: given.onDownload,
    signal: given.signal,
  };
}

/**
 * Checks and completes what the user gave.
 *
 * @throws {R1Error} `UNKNOWN_OPTION` for a name that is no option; `INVALID_ARGUMENT` for a value
 * out of range.
 */
export function normalizeLoad(options: unknown): LoadConfig {
  const given = object(options, "options");
  for (const key of ["path", "modelPath", "model", "file"])
    if (key in given)
      throw new R1Error(
        "UNKNOWN_OPTION",
        `\`${key}\` is not an option of loadModel. The path is its first argument: loadModel(path, options).`,
        { details: { option: key } },
      );
  knownKeys(given, "loadModel", LOAD_KEYS);
  const checked: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined) checked[key] = (CHECKS as Record<string, Check>)[key]?.(value, key);
  }
  if (
    checked.isolation === "none" &&
    ((checked.rpc as readonly Endpoint[] | undefined) ?? []).length > 0
  ) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "A model with `rpc` runs in a process of its own, since a server that dies ends it: leave `isolation` out.",
      {
        details: { option: "isolation" },
      },
    );
  }
  if (checked.cpuMoe === true && (checked.nCpuMoe as number | undefined) !== undefined) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`cpuMoe` keeps the experts of all layers in system memory and `nCpuMoe` those of some: give one of the two.",
      {
        details: { option: "nCpuMoe" },
      },
    );
  }
  return Object.freeze(complete(checked as LoadOptions));
}
