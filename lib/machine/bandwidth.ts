// How fast memory is read: given, or measured on this machine. Runs on the calling JavaScript
// thread; measuring takes threads of its own.
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
 * Bandwidths as a user gives them; one that is to be measured is left out.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`.
 */
export function checkBandwidth(given: unknown): Bandwidth {
  const all = check.object(given ?? {}, "bandwidth");
  check.knownKeys(all, "bandwidth", ["gpu", "ram", "disk"]);
  const told = Object.entries(all).filter(
    ([key, value]) => value !== undefined && !(key === "ram" && value === "measured"),
  );
  return Object.fromEntries(
    told.map(([key, value]) => [key, check.number(value, `bandwidth.${key}`, 0.001, 1e6)]),
  );
}

/** What all cores together read from system memory. Unit: 10^9 bytes a second. */
export async function measureMemoryBandwidth(): Promise<number> {
  return (await native().measureMemoryBandwidth(physicalCores(), MEASURE_MS)) / 1e9;
}
