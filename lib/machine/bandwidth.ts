// The memory bandwidth: given, or measured on this machine with native threads.
import * as check from "../base/check.js";
import { native } from "../binding/load.js";
import { physicalCores } from "./cpu.js";

/** Unit: 10^9 bytes a second. */
export interface Bandwidth {
  readonly gpu?: number | undefined;
  readonly ram?: number | undefined;
  readonly disk?: number | undefined;
}

/** Long enough to settle, short enough to wait for. Unit: milliseconds. */
const MEASURE_MS = 250;

/**
 * Validates bandwidths from a user; one that is to be measured is omitted.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`.
 */
export function checkBandwidth(given: unknown): Bandwidth {
  const all = check.object(given ?? {}, "bandwidth");
  check.knownKeys(all, "bandwidth", ["gpu", "ram", "disk"]);
  const rates = Object.entries(all).filter(
    ([key, value]) => value !== undefined && !(key === "ram" && value === "measured"),
  );
  return Object.fromEntries(
    rates.map(([key, value]) => [key, check.number(value, `bandwidth.${key}`, 0.001, 1e6)]),
  );
}

/** Returns the bandwidth of system memory with all cores together. Unit: 10^9 bytes per second. */
export async function measureMemoryBandwidth(): Promise<number> {
  return (await native().measureMemoryBandwidth(physicalCores(), MEASURE_MS)) / 1e9;
}
