// Computes how much memory can be allocated before the system starts to kill processes. Reads a few
// small system files, synchronously.
import { existsSync, readFileSync } from "node:fs";
import { freemem } from "node:os";

function read(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the memory that a control group still allows: its limit minus its usage, without the page
 * cache, which can be reclaimed.
 */
function groupRoom(
  limitPath: string,
  usagePath: string,
  statPath: string,
  cacheKeys: readonly string[],
): number {
  const limit = Number(read(limitPath)?.trim());
  const usage = Number(read(usagePath)?.trim());
  if (!Number.isFinite(limit) || !Number.isFinite(usage) || limit <= 0) return Infinity;
  const stat = new Map(
    (read(statPath) ?? "").split("\n").map((line) => line.split(" ") as [string, string]),
  );
  const cache = cacheKeys.reduce((sum, key) => sum + (Number(stat.get(key)) || 0), 0);
  return Math.max(0, limit - Math.max(0, usage - cache));
}

/**
 * Returns the bytes that can be allocated now: the system's available memory, limited by the
 * container.
 */
export function availableMemory(): number {
  const meminfo = /^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo") ?? "")?.[1];
  const system = meminfo === undefined ? freemem() : Number(meminfo) * 1024;
  const v2 = "/sys/fs/cgroup";
  const v1 = "/sys/fs/cgroup/memory";
  return Math.min(
    system,
    groupRoom(`${v2}/memory.max`, `${v2}/memory.current`, `${v2}/memory.stat`, [
      "active_file",
      "inactive_file",
    ]),
    groupRoom(`${v1}/memory.limit_in_bytes`, `${v1}/memory.usage_in_bytes`, `${v1}/memory.stat`, [
      "total_active_file",
      "total_inactive_file",
    ]),
  );
}
