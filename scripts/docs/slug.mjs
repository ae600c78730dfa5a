// The anchor of a heading, as GitHub makes it. The docs site and the link check use the same, so
// that one link works in both.

/** Returns the anchor of a heading's text without its markup. */
export function slug(text) {
  return text
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** Numbers repeated anchors of one page, as GitHub does: `name`, `name-1`, `name-2`. */
export function uniqueSlugs() {
  const used = new Map();
  return (text) => {
    const base = slug(text);
    const count = used.get(base) ?? 0;
    used.set(base, count + 1);
    return count === 0 ? base : `${base}-${count}`;
  };
}
