// Sets of characters as ranges of code points.

/** A closed range of code points. */
export type CodeRange = readonly [from: number, to: number];

/** Largest code point. */
export const LAST_CODE_POINT = 0x10ffff;

/** Returns the same characters, sorted, with neighbouring ranges joined. */
export function joinRanges(ranges: readonly CodeRange[]): CodeRange[] {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** Returns all characters that are in none of the ranges. */
export function invert(ranges: readonly CodeRange[]): CodeRange[] {
  const gaps: CodeRange[] = [];
  let next = 0;
  for (const [from, to] of joinRanges(ranges)) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST_CODE_POINT) gaps.push([next, LAST_CODE_POINT]);
  return gaps;
}

/**
 * Returns the characters that two sets share. Both are sorted and joined first, so that this takes
 * linear time.
 */
export function intersect(a: readonly CodeRange[], b: readonly CodeRange[]): CodeRange[] {
  const [left, right] = [joinRanges(a), joinRanges(b)];
  const shared: CodeRange[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const [one, other] = [left[i] as CodeRange, right[j] as CodeRange];
    const [from, to] = [Math.max(one[0], other[0]), Math.min(one[1], other[1])];
    if (from <= to) shared.push([from, to]);
    if (one[1] < other[1]) i++;
    else j++;
  }
  return shared;
}

/** Whether sorted ranges contain a code point. */
export function holds(ranges: readonly CodeRange[], code: number): boolean {
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [from, to] = ranges[middle] as CodeRange;
    if (code < from) high = middle - 1;
    else if (code > to) low = middle + 1;
    else return true;
  }
  return false;
}
