// Options of planOffload(): validated, completed and frozen once, before any file is read.
import { totalmem } from "node:os";
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { RetryNotice } from "../hub/retry.js";
import { checkBandwidth, type Bandwidth } from "../machine/bandwidth.js";
import { CACHE_TYPES, type CacheType } from "../weights/cache-types.js";
import { devices as presentDevices } from "../machine/devices.js";

/** Options of {@link planOffload}. */
export interface PlanOptions {
  /**
   * Memory of the GPUs, one number each, or one for a single one; 0 or `[]`: none. Unit: GiB.
   * @defaultValue the free memory of this machine's GPUs
   */
  readonly vramGiB?: number | readonly number[] | undefined;
  /**
   * Names of GPUs of this machine, as listed by `devices()`. Cannot be combined with `vramGiB`.
   * @defaultValue all of them
   */
  readonly devices?: readonly string[] | undefined;
  /**
   * Where this machine's GPUs come from, as `backendDir` of `loadModel`. Not together with
   * `vramGiB`.
   * @defaultValue none
   */
  readonly backendDir?: string | undefined;
  /**
   * System memory. Unit: GiB. @defaultValue this machine's if the GPUs are too, otherwise unknown
   */
  readonly ramGiB?: number | undefined;
  /** KV cells, all sequences together. Unit: tokens. @defaultValue 8192 */
  readonly contextSize?: number | undefined;
  /** Type of the K cache, as for `loadModel`. @defaultValue `"f16"` */
  readonly cacheTypeK?: CacheType | undefined;
  /** Type of the V cache. @defaultValue `cacheTypeK` on an MLA file, else `"f16"` */
  readonly cacheTypeV?: CacheType | undefined;
  /** Generations at the same time; they share the cells. @defaultValue 1 */
  readonly sequences?: number | undefined;
  /** Tokens computed at once. @defaultValue 512 */
  readonly ubatchSize?: number | undefined;
  /**
   * Memory left free on each GPU, for what cannot be known in advance. Unit: GiB. @defaultValue 1
   */
  readonly marginGiB?: number | undefined;
  /**
   * Whether GPUs fetch experts from system memory to compute prompts, as `loadModel`'s option of
   * this name; it takes room for one tensor of these. Devices behind RPC never do.
   * @defaultValue true
   */
  readonly opOffload?: boolean | undefined;
  /**
   * How fast memory is read. `"measured"`: reads this machine's system memory for a quarter of a
   * second on all cores. Unit: 10^9 bytes per second.
   * @defaultValue none: no bound on the rate is reported
   */
  readonly bandwidth?: {
    readonly gpu?: number;
    readonly ram?: number | "measured";
    readonly disk?: number;
  };
  /** Stops reading headers; the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each retry while a model named `hf:...` is looked up. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** The memory that is planned for. */
export interface Memory {
  readonly devices: readonly { readonly name: string; readonly bytes: number }[];
  readonly ramBytes: number | undefined;
}

/** {@link PlanOptions}, complete. */
export interface PlanConfig {
  readonly memory: Memory;
  readonly contextSize: number;
  readonly cacheTypeK: CacheType | undefined;
  readonly cacheTypeV: CacheType | undefined;
  readonly sequences: number;
  readonly ubatchSize: number;
  readonly marginBytes: number;
  readonly opOffload: boolean;
  readonly bandwidth: Bandwidth;
  /** The bandwidth of system memory is to be measured, or was. */
  readonly isRamMeasured: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onRetry: ((notice: RetryNotice) => void) | undefined;
}

const GIB = 2 ** 30;
const KEYS = Object.keys({
  vramGiB: 0,
  devices: 0,
  backendDir: 0,
  ramGiB: 0,
  contextSize: 0,
  cacheTypeK: 0,
  cacheTypeV: 0,
  sequences: 0,
  ubatchSize: 0,
  marginGiB: 0,
  opOffload: 0,
  bandwidth: 0,
  signal: 0,
  onRetry: 0,
} satisfies Record<keyof PlanOptions, 0>);

function memoryOf({ vramGiB, devices, backendDir, ramGiB }: PlanOptions): Memory {
  const ram = ramGiB === undefined ? undefined : check.number(ramGiB, "ramGiB", 0, 2 ** 20) * GIB;
  if (vramGiB !== undefined) {
    const other =
      devices !== undefined ? "devices" : backendDir !== undefined ? "backendDir" : undefined;
    if (other !== undefined) {
      throw new R1Error(
        "INVALID_ARGUMENT",
        `\`vramGiB\` and \`${other}\` exclude each other: the one is for any machine, the other for this one.`,
        {
          details: { option: other },
        },
      );
    }
    const given =
      typeof vramGiB === "number"
        ? [vramGiB]
        : check.array(vramGiB, "vramGiB", (each) => each as number);
    if (given.length > 16) check.refuse("vramGiB", "at most 16 GPUs", given);
    const sizes = given.map((each, i) =>
      check.number(each, typeof vramGiB === "number" ? "vramGiB" : `vramGiB[${i}]`, 0, 2 ** 20),
    );
    return {
      devices: sizes
        .filter((gib) => gib > 0)
        .map((gib, i) => ({ name: `GPU${i}`, bytes: gib * GIB })),
      ramBytes: ram,
    };
  }
  const gpus = presentDevices(backendDir === undefined ? {} : { backendDir }).filter(
    ({ type }) => type === "gpu" || type === "igpu",
  );
  const wanted =
    devices === undefined
      ? undefined
      : check.array(devices, "devices", (each, path) => check.string(each, path));
  for (const name of wanted ?? [])
    if (!gpus.some((gpu) => gpu.name === name))
      check.refuse(
        "devices",
        `names of ${gpus.map((gpu) => gpu.name).join(", ") || "GPUs (there are none)"}`,
        name,
      );
  const used = wanted === undefined ? gpus : gpus.filter(({ name }) => wanted.includes(name));
  return {
    devices: used.map(({ name, freeBytes }) => ({ name, bytes: freeBytes })),
    ramBytes: ram ?? totalmem(),
  };
}

/**
 * Validates and completes options.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `ADDON_MISSING` if this machine's GPUs
 * are requested.
 */
export function normalizePlan(options: PlanOptions): PlanConfig {
  check.knownKeys(check.object(options, "options"), "planOffload", KEYS);
  const typeOf = (key: "cacheTypeK" | "cacheTypeV"): CacheType | undefined =>
    options[key] === undefined ? undefined : check.oneOf(options[key], key, CACHE_TYPES);
  return Object.freeze({
    contextSize: check.integer(options.contextSize ?? 8192, "contextSize", 1, 2 ** 31 - 1),
    sequences: check.integer(options.sequences ?? 1, "sequences", 1, 256),
    ubatchSize: check.integer(options.ubatchSize ?? 512, "ubatchSize", 1, 2 ** 20),
    marginBytes: check.number(options.marginGiB ?? 1, "marginGiB", 0, 1024) * GIB,
    cacheTypeK: typeOf("cacheTypeK"),
    cacheTypeV: typeOf("cacheTypeV"),
    opOffload: check.boolean(options.opOffload ?? true, "opOffload"),
    bandwidth: Object.freeze(checkBandwidth(options.bandwidth)),
    isRamMeasured: options.bandwidth?.ram === "measured",
    signal: options.signal === undefined ? undefined : check.signal(options.signal, "signal"),
    onRetry:
      options.onRetry === undefined
        ? undefined
        : check.callback<(notice: RetryNotice) => void>(options.onRetry, "onRetry"),
    memory: memoryOf(options),
  });
}
