// Matches file names against shell-style patterns, like the Hub's own tools. Pure.

/** One piece of a pattern: any number of characters, one of any kind, or one of a set. */
type Piece =
  { readonly kind: "many" } | { readonly kind: "one"; readonly fits: (char: string) => boolean };

/** The set of `[...]` from `at` on, and where it ends; undefined when it is never closed. */
function readSet(
  pattern: string,
  at: number,
): { fits: (char: string) => boolean; next: number } | undefined {
  const isNegated = pattern[at + 1] === "!";
  const first = at + (isNegated ? 2 : 1);
  // A bracket in the first position is literal.
  const end = pattern.indexOf("]", first + 1);
  if (end < 0) return undefined;
  const members = pattern.slice(first, end);
  const fits = (char: string): boolean => {
    for (let i = 0; i < members.length; i++) {
      const [from = "", dash, to] = [members[i], members[i + 1], members[i + 2]];
      if (dash === "-" && to !== undefined) {
        if (char >= from && char <= to) return true;
        i += 2;
      } else if (char === from) return true;
    }
    return false;
  };
  return { fits: isNegated ? (char) => !fits(char) : fits, next: end + 1 };
}

function readPattern(pattern: string): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at] ?? "";
    const set = char === "[" ? readSet(pattern, at) : undefined;
    if (set !== undefined) {
      pieces.push({ kind: "one", fits: set.fits });
      at = set.next;
      continue;
    }
    if (char === "*") pieces.push({ kind: "many" });
    else pieces.push({ kind: "one", fits: char === "?" ? () => true : (other) => other === char });
    at++;
  }
  return pieces;
}

/**
 * Whether a path in a repository matches a pattern: `*` any characters (including slashes), `?`
 * one, `[a-c]` one of a set, `[!a-c]` one outside it. Case-sensitive. A pattern that ends in a
 * slash matches everything below it.
 */
export function fitsPattern(path: string, pattern: string): boolean {
  const pieces = readPattern(pattern.endsWith("/") ? `${pattern}*` : pattern);
  // Only the last star needs backtracking, so the time is at most the product of both lengths.
  let [at, piece, star, resume] = [0, 0, -1, 0];
  while (at < path.length) {
    const now = pieces[piece];
    if (now?.kind === "many") {
      star = piece++;
      resume = at;
    } else if (now?.kind === "one" && now.fits(path[at] ?? "")) {
      at++;
      piece++;
    } else if (star >= 0) {
      piece = star + 1;
      at = ++resume;
    } else return false;
  }
  return pieces.slice(piece).every(({ kind }) => kind === "many");
}
