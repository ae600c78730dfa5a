// JSON text as R1's templates write it: one line, a space after each comma and colon, non-ASCII characters kept. Runs on any JavaScript thread.

/**
 * Serialises JSON data the way Python's `json.dumps(value, ensure_ascii=False)` does, which is how the official templates write tool arguments.
 *
 * @param indent - Spaces a level; undefined: one line.
 */
export function pythonJson(value: unknown, indent?: number, level = 0): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Array.isArray(value)
    ? value.map((element) => pythonJson(element, indent, level + 1))
    : Object.entries(value)
        .filter(([, element]) => element !== undefined)
        .map(
          ([key, element]) => `${JSON.stringify(key)}: ${pythonJson(element, indent, level + 1)}`,
        );
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return open + close;
  if (indent === undefined) return open + entries.join(", ") + close;
  const pad = "\n" + " ".repeat(indent * (level + 1));
  return open + pad + entries.join("," + pad) + "\n" + " ".repeat(indent * level) + close;
}
