// Computes which bytes of a file are present and which are missing. Pure.

/** Bytes from `start` up to, not including, `end`. */
export type Range = readonly [start: number, end: number];

/** Sorts ranges and joins those that touch or overlap. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: [number, number][] = [];
  for (const [start, end] of [...ranges].sort(([a], [b]) => a - b)) {
    if (start >= end) continue;
    const last = merged.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/**
 * Returns the parts of a file of `size` bytes that are not in `ranges`, in pieces of at most
 * `pieceBytes`.
 */
export function missingPieces(ranges: readonly Range[], size: number, pieceBytes: number): Range[] {
  const pieces: Range[] = [];
  let at = 0;
  for (const [start, end] of [...mergeRanges(ranges), [size, size] as Range]) {
    for (; at < start; at = Math.min(start, at + pieceBytes))
      pieces.push([at, Math.min(start, at + pieceBytes)]);
    at = Math.max(at, end);
  }
  return pieces;
}

/** Returns the number of bytes in all ranges. */
export function countBytes(ranges: readonly Range[]): number {
  return mergeRanges(ranges).reduce((sum, [start, end]) => sum + end - start, 0);
}

/** Returns the number of bytes present without a gap from the start. */
export function prefixLength(ranges: readonly Range[]): number {
  const [first] = mergeRanges(ranges);
  return first?.[0] === 0 ? first[1] : 0;
}

/**
 * Reads ranges from parsed JSON; undefined if it is not a list of ranges of a file of `size` bytes.
 */
export function readRanges(value: unknown, size: number): Range[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const ranges: Range[] = [];
  for (const one of value as unknown[]) {
    const [start, end] = Array.isArray(one) ? (one as unknown[]) : [];
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) return undefined;
    const [from, to] = [start as number, end as number];
    if (from < 0 || from >= to || to > size) return undefined;
    ranges.push([from, to]);
  }
  return mergeRanges(ranges);
}
