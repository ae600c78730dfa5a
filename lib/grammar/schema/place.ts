// Finds where an error belongs in a schema as its author wrote it, if the error was found after
// parts of the schema were combined. Pure.

/** A value in the schema, and its JSON pointer. */
interface Place {
  readonly value: unknown;
  readonly at: string;
}

/** Most places that are looked at: references can lead to many. */
const MAX_PLACES = 2000;

const own = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;

/** What a JSON pointer in a `$ref` leads to. */
function target(document: unknown, reference: unknown): Place[] {
  if (typeof reference !== "string" || !/^#(\/|$)/.test(reference)) return [];
  let pointer: string;
  try {
    pointer = decodeURIComponent(reference.slice(1));
  } catch {
    return [];
  }
  const value = pointer
    .split("/")
    .slice(1)
    .reduce<unknown>(
      (found, part) => own(found, part.replaceAll("~1", "/").replaceAll("~0", "~")),
      document,
    );
  return value === undefined ? [] : [{ value, at: pointer }];
}

/**
 * Places and all that may have been merged into them: branches and references, the places
 * themselves first.
 */
function withMerged(document: unknown, places: readonly Place[]): Place[] {
  const found = [...places];
  const seen = new Set(places.map(({ at }) => at));
  for (let i = 0; i < found.length && found.length < MAX_PLACES; i++) {
    const { value, at } = found[i] as Place;
    const branches = ["allOf", "anyOf", "oneOf"].flatMap((key): Place[] => {
      const list = own(value, key);
      return Array.isArray(list)
        ? list.map((branch: unknown, n) => ({ value: branch, at: `${at}/${key}/${n}` }))
        : [];
    });
    for (const place of [...branches, ...target(document, own(value, "$ref"))]) {
      if (seen.has(place.at)) continue;
      seen.add(place.at);
      found.push(place);
    }
  }
  return found;
}

/**
 * The place in a document that a JSON pointer means which was made after branches and references
 * had been merged: `/not` where `/allOf/0/not` is written. As far as there is such a place; the
 * pointer itself where it leads somewhere.
 */
export function placeOf(document: unknown, pointer: string): string {
  let places: readonly Place[] = [{ value: document, at: "" }];
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const next = withMerged(document, places).flatMap(({ value, at }): Place[] => {
      const inner = own(value, key);
      return inner === undefined ? [] : [{ value: inner, at: `${at}/${part}` }];
    });
    if (next.length === 0) break;
    places = next;
  }
  return places[0]?.at ?? "";
}
