// Which bytes of a file are there and which are missing. Pure; runs on any JavaScript thread.

/** Bytes from `start` up to, not including, `end`. */
export type Range = readonly [start: number, end: number];

/** Ranges in order, those that touch or overlap made one. */
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

/** What of a file of `size` bytes is not in `ranges`, in pieces of at most `pieceBytes`. */
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

/** Bytes that ranges hold together. */
export function countBytes(ranges: readonly Range[]): number {
  return mergeRanges(ranges).reduce((sum, [start, end]) => sum + end - start, 0);
}

/** How far a file is there without a gap, from its first byte. */
export function prefixLength(ranges: readonly Range[]): number {
  const [first] = mergeRanges(ranges);
  return first?.[0] === 0 ? first[1] : 0;
}

/**
 * Ranges out of parsed JSON; undefined when it is anything but ranges of a file of `size` bytes.
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
