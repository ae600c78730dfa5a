// Checks that a disk has enough space before something large is written.
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { R1Error } from "../errors.js";

/**
 * @param folder - The folder to write to; if it does not exist, its nearest existing parent is
 * checked.
 * @param advice - What to do about a full disk.
 * @throws {R1Error} `NO_SPACE` when `bytes` more do not fit.
 */
export async function checkSpace(
  folder: string,
  bytes: number,
  advice = "Free some space or write to another disk.",
): Promise<void> {
  let at = folder;
  let facts = await statfs(at).catch(() => undefined);
  while (facts === undefined && dirname(at) !== at) {
    at = dirname(at);
    facts = await statfs(at).catch(() => undefined);
  }
  if (facts === undefined) return;
  const free = facts.bavail * facts.bsize;
  if (free >= bytes) return;
  const gib = (n: number): string => `${(n / 2 ** 30).toFixed(2)} GiB`;
  throw new R1Error(
    "NO_SPACE",
    `"${folder}" has ${gib(free)} free, but ${gib(bytes)} are needed. ${advice}`,
    { details: { path: folder, freeBytes: free, neededBytes: bytes } },
  );
}
