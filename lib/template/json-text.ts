// JSON text as R1's templates write it: one line, a space after each comma and colon, non-ASCII characters kept. Runs on any JavaScript thread.

/**
 * Serialises JSON data the way Python's `json.dumps(value, ensure_ascii=False)` does, which is how the official templates write tool arguments.
 *
 * @param indent - Spaces a level; undefined: one line.
 */
export function pythonJson(value: unknown, indent?: number): string {
  return indent === undefined ? oneLine(value) : indented(value, indent, 0);
}

/** A leaf as JSON writes it. */
function leaf(value: unknown): string {
  // Numbers of JSON data are finite.
  return typeof value === "number" ? `${value}` : (JSON.stringify(value) ?? "null");
}

/** By concatenation, which is several times as fast as joined arrays where there are many leaves. */
function oneLine(value: unknown): string {
  if (typeof value !== "object" || value === null) return leaf(value);
  let text = "";
  if (Array.isArray(value)) {
    for (const element of value as unknown[]) text += (text && ", ") + oneLine(element);
    return `[${text}]`;
  }
  for (const [key, element] of Object.entries(value))
    if (element !== undefined) text += `${text && ", "}${JSON.stringify(key)}: ${oneLine(element)}`;
  return `{${text}}`;
}

function indented(value: unknown, indent: number, level: number): string {
  if (typeof value !== "object" || value === null) return leaf(value);
  const entries = Array.isArray(value)
    ? value.map((element) => indented(element, indent, level + 1))
    : Object.entries(value)
        .filter(([, element]) => element !== undefined)
        .map(([key, element]) => `${JSON.stringify(key)}: ${indented(element, indent, level + 1)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return open + close;
  const pad = "\n" + " ".repeat(indent * (level + 1));
  return open + pad + entries.join("," + pad) + "\n" + " ".repeat(indent * level) + close;
}
