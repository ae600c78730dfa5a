// Checks loadModel's options once and returns one complete, frozen object. load-table/ has the
// check of each option; the checks of combinations are here.
import { knownKeys, object, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { FILE_ROPE } from "../binding/file-rope.js";
import type { NativeEngineConfig } from "../binding/native.js";
import type { NativeMetadataOverride } from "../binding/native-quantize.js";
import type { Endpoint } from "../rpc/endpoint.js";
import type { LoadOptions } from "./load-options.js";
import { checkLoadOption, LOAD_KEYS, withDefaults, type LoadDefaults } from "./load-table/table.js";

/** Every load option with its value. */
export type LoadConfig = Readonly<Omit<LoadDefaults, keyof Settled> & Settled>;

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

/** Smallest share of the context that can hold a reasoning model's turn. Unit: tokens. */
const ROOMY_SHARE = 4096;

/**
 * Separate cells for each sequence are faster (docs/decisions/kv-unified.md) as long as each share
 * is large enough to work with. Otherwise there is one pool, and each sequence uses as many cells
 * as it needs. A context of 0 is the training context, which is not known yet.
 */
function sharesOnePool(contextSize: number, sequences: number): boolean {
  return sequences === 1 || contextSize === 0 || contextSize / sequences < ROOMY_SHARE;
}

/** The options that depend on others, or whose type differs from the one the user gave. */
type Settled = ReturnType<typeof settle>;

function settle(given: LoadOptions) {
  const { contextSize, batchSize, sequences, guestSequence, deterministic, cpuMoe, nCpuMoe } =
    withDefaults(given);
  if (given.ubatchSize !== undefined && given.ubatchSize > batchSize)
    refuse("ubatchSize", `a number of at most \`batchSize\` (${batchSize})`, given.ubatchSize);
  const decoded = sequences + (guestSequence ? 1 : 0);
  if (decoded > batchSize)
    refuse(
      "batchSize",
      `a number of at least \`sequences\` (${decoded}), one token for each`,
      batchSize,
    );
  // A step verifies the drafts of all sequences in one batch.
  const maxAllowedDraft = Math.floor(batchSize / decoded) - 1;
  if (given.maxDraft !== undefined && given.maxDraft > maxAllowedDraft)
    refuse(
      "maxDraft",
      `at most ${maxAllowedDraft}, so that a batch of ${batchSize} holds a draft of ` +
        `each of ${sequences} sequences`,
      given.maxDraft,
    );
  if (deterministic && given.kvUnified === true && sequences > 1)
    refuse(
      "kvUnified",
      "false or left out with `deterministic`: in one pool the cells of other " +
        "sequences change the last bits",
      true,
    );
  if (guestSequence && (deterministic || given.kvUnified === false || sequences > 255))
    refuse(
      "guestSequence",
      "false or left out with `deterministic`, with `kvUnified: false` and with more than 255 " +
        "`sequences`: guests need one pool of cells and a sequence of their own",
      true,
    );
  // 0: chosen by the model's size, see settleThreads().
  const threads = given.threads ?? 0;
  // The check has converted either form to a list.
  const overrides = (given.tensorOverrides ?? []) as readonly { pattern: string; buffer: string }[];
  const rpc = (given.rpc ?? []) as unknown as readonly Endpoint[];
  return {
    ubatchSize: given.ubatchSize ?? Math.min(512, batchSize),
    threads,
    threadsBatch: given.threadsBatch ?? threads,
    rpc,
    isolation: given.isolation ?? (rpc.length > 0 ? "process" : "none"),
    tensorOverrides: [...overrides, ...expertOverrides(cpuMoe, nCpuMoe)],
    rope: (given.rope ?? FILE_ROPE) as NativeEngineConfig["rope"],
    metadataOverrides: (given.metadataOverrides ??
      []) as unknown as readonly NativeMetadataOverride[],
    kvUnified:
      given.kvUnified ??
      (guestSequence || (!deterministic && sharesOnePool(contextSize, sequences))),
    maxDraft: given.maxDraft ?? Math.min(16, maxAllowedDraft),
    sessionKey: (given.sessionKey ?? null) as Uint8Array | null,
  };
}

/**
 * Checks the user's options and fills in the defaults.
 *
 * @throws {R1Error} `UNKNOWN_OPTION` for an unknown name; `INVALID_ARGUMENT` for a value out of
 * range.
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
    if (value !== undefined) checked[key] = checkLoadOption(key as keyof LoadOptions, value);
  }
  if (
    checked.isolation === "none" &&
    ((checked.rpc as readonly Endpoint[] | undefined) ?? []).length > 0
  ) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "A model with `rpc` always runs in a separate process, because a server that dies " +
        "would end this one. Leave `isolation` out.",
      {
        details: { option: "isolation" },
      },
    );
  }
  if (checked.cpuMoe === true && (checked.nCpuMoe as number | undefined) !== undefined) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`cpuMoe` keeps the experts of all layers in system memory, and `nCpuMoe` keeps those " +
        "of some layers there. Set only one of the two.",
      {
        details: { option: "nCpuMoe" },
      },
    );
  }
  return Object.freeze({ ...withDefaults(checked), ...settle(checked) });
}
