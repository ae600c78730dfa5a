// Asks the verifier about a result, with a limit of time. JavaScript thread.
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchConfig } from "./config.js";
import type { BatchRecord, Course } from "./record.js";
import type { BatchRow } from "./row.js";

/**
 * @param verifyTimeoutMs - 0: the verifier keeps to its own limit.
 * @returns The verdict on a result: a verifier that throws or takes too long passes nothing, and the record
 * says why.
 */
export async function verifySample(
  { verify, verifyTimeoutMs }: Pick<BatchConfig, "verify" | "verifyTimeoutMs">,
  { source }: BatchRow,
  record: BatchRecord,
): Promise<Pick<Course, "verified" | "verifyError">> {
  if (verify === undefined) return {};
  const timer = new AbortController();
  try {
    const asked = (async () => verify(source, record))();
    const late = sleep(verifyTimeoutMs, "late" as const, { signal: timer.signal });
    late.catch(() => undefined);
    const verdict = await (verifyTimeoutMs === 0 ? asked : Promise.race([asked, late]));
    if (verdict === "late")
      return { verified: false, verifyError: `took longer than ${verifyTimeoutMs} ms` };
    if (typeof verdict === "boolean") return { verified: verdict };
    return { verified: false, verifyError: "returned neither true nor false" };
  } catch (error) {
    return { verified: false, verifyError: error instanceof Error ? error.message : String(error) };
  } finally {
    timer.abort();
  }
}
