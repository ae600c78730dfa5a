// Writes JSON text as R1's templates do: one line, a space after each comma and colon, non-ASCII
// characters unchanged.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ChatMessage } from "../base/types.js";
import { isLarge } from "./messages.js";

/** Texts of large data, written before they are needed. */
const written = new WeakMap<object, string>();

/** How long writing may block the event loop at a time. Unit: milliseconds. */
const SLICE_MS = 4;

/**
 * Serialises JSON data like Python's `json.dumps(value, ensure_ascii=False)`, which the official
 * templates use for tool arguments.
 *
 * @param indent - Spaces per level; undefined: one line.
 */
export function pythonJson(value: unknown, indent?: number): string {
  return indent === undefined ? oneLine(value) : indented(value, indent, 0);
}

/** Returns a leaf as JSON text. */
function leaf(value: unknown): string {
  // Numbers in JSON data are finite.
  return typeof value === "number" ? `${value}` : (JSON.stringify(value) ?? "null");
}

/**
 * Uses concatenation, which is several times as fast as joined arrays when there are many leaves.
 */
function oneLine(value: unknown): string {
  if (typeof value !== "object" || value === null) return leaf(value);
  const ready = written.get(value);
  if (ready !== undefined) return ready;
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

/** Yields to the event loop between slices of work. */
class Slices {
  #end = performance.now() + SLICE_MS;
  #count = 0;

  /** Whether the slice is over; checks the clock now and then. */
  isOver(): boolean {
    return ++this.#count % 64 === 0 && performance.now() > this.#end;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#end = performance.now() + SLICE_MS;
  }
}

async function writeInSlices(data: object, slices: Slices): Promise<string> {
  const ready = written.get(data);
  if (ready !== undefined) return ready;
  let text = "";
  const isList = Array.isArray(data);
  const keys = isList ? undefined : Object.keys(data);
  const count = keys?.length ?? (data as unknown[]).length;
  for (let i = 0; i < count; i++) {
    const key = keys?.[i] ?? i;
    const element = (data as Record<string | number, unknown>)[key];
    if (element === undefined) continue;
    if (slices.isOver()) await slices.next();
    const value = isLarge(element)
      ? await writeInSlices(element as object, slices)
      : oneLine(element);
    text += `${text && ", "}${isList ? "" : `${JSON.stringify(key)}: `}${value}`;
  }
  text = isList ? `[${text}]` : `{${text}}`;
  written.set(data, text);
  return text;
}

/**
 * Writes the large arguments of checked messages without blocking the event loop; {@link
 * pythonJson} then returns their text at once.
 */
export async function writeArguments(messages: readonly ChatMessage[]): Promise<void> {
  const slices = new Slices();
  for (const { toolCalls = [] } of messages)
    for (const call of toolCalls)
      if (isLarge(call.arguments)) await writeInSlices(call.arguments as object, slices);
}
