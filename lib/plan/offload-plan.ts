// The result of planOffload. Types only.
import type { Bandwidth } from "../machine/bandwidth.js";
import type { CacheType } from "../weights/cache-types.js";
import type { LoadOptions } from "../weights/load-options.js";
import type { Placement } from "./offload.js";

/** The result of `planOffload`. Unit of sizes: bytes. */
export interface OffloadPlan {
  /** First file looked at. */
  readonly source: string;
  /** Of all files of the model. */
  readonly sizeBytes: number;
  /** Layers that generate; one for predicting further tokens is not counted. */
  readonly layers: number;
  /** Routed experts of a layer; 0: the model has none. */
  readonly experts: number;
  /**
   * Whole layers by the published rule of thumb, from memory and file size alone; how it was
   * reckoned; and what the published table says for this memory, where it has a column of it.
   */
  readonly rule: {
    readonly layers: number;
    readonly formula: string;
    readonly published: number | undefined;
  };
  /** What to do instead: see {@link Placement}. */
  readonly placement: Placement;
  /** The KV cache: all of it, for one token, and the types it was reckoned with. */
  readonly cache: {
    readonly bytes: number;
    readonly bytesPerToken: number;
    readonly typeK: CacheType;
    readonly typeV: CacheType;
  };
  /** Must be in system memory at all times. */
  readonly residentBytes: number;
  /** Experts in system memory: read from the file when they are not, at the speed of the disk. */
  readonly pageableBytes: number;
  /**
   * Maximum tokens per second that reading the weights allows. A place without a known bandwidth
   * counts as infinitely fast; undefined if this applies to all of them.
   */
  readonly tokensPerSecondBound: number | undefined;
  /** The bandwidths behind it, measured ones included. Unit: 10^9 bytes a second. */
  readonly bandwidth: Bandwidth;
  /** Whether system memory can hold what is placed there; undefined if its size is unknown. */
  readonly fitsInRam: boolean | undefined;
  /** The options to pass to `loadModel`. */
  readonly load: Pick<
    LoadOptions,
    | "gpuLayers"
    | "tensorOverrides"
    | "tensorSplit"
    | "contextSize"
    | "cacheTypeK"
    | "sequences"
    | "ubatchSize"
  >;
  /** The plan in words. */
  readonly reasons: readonly string[];
}
