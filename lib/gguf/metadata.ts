// Typed look-ups in a model's metadata; a value of a wrong type is refused as llama.cpp would refuse it. Any JavaScript thread.
import { invalidGguf } from "./cursor.js";
import type { GgufEntry, GgufHeader, GgufScalar, GgufValueType } from "./format.js";

/** Metadata as plain data: scalars as they are, arrays by length and first elements. */
export type MetadataSummary = Readonly<
  Record<string, GgufScalar | { readonly elementType: GgufValueType; readonly length: number; readonly first: readonly GgufScalar[] }>
>;

/** Looks up a model's metadata by full key. */
export class Metadata {
  readonly #header: GgufHeader;

  constructor(header: GgufHeader) {
    this.#header = header;
  }

  /** Throws `GGUF_INVALID` about the file. */
  invalid(what: string): never {
    throw invalidGguf(this.#header.path, what);
  }

  /** The raw pair. */
  entry(key: string): GgufEntry | undefined {
    return this.#header.entries.get(key);
  }

  #scalar(key: string, type: GgufValueType): GgufScalar | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    if (entry.type === "arr" || entry.type !== type) this.invalid(`metadata "${key}" is of type ${entry.type}, where ${type} is right`);
    return entry.value;
  }

  /** An unsigned 32-bit number, the type of nearly all hyperparameters. */
  u32(key: string): number | undefined {
    return this.#scalar(key, "u32") as number | undefined;
  }

  f32(key: string): number | undefined {
    return this.#scalar(key, "f32") as number | undefined;
  }

  bool(key: string): boolean | undefined {
    return this.#scalar(key, "bool") as boolean | undefined;
  }

  /** Up to the first NUL character, as llama.cpp reads it. */
  text(key: string): string | undefined {
    return (this.#scalar(key, "str") as string | undefined)?.replace(/\0.*$/s, "");
  }

  /** One number, or one number a layer; always an array of `layers` numbers. */
  perLayer(key: string, layers: number): number[] | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    if (entry.type !== "arr") return Array.from({ length: layers }, () => this.u32(key) ?? 0);
    if (!["u32", "i32", "bool"].includes(entry.elementType)) this.invalid(`metadata "${key}" is an array of ${entry.elementType}, where u32 is right`);
    if (entry.elements.length !== layers) this.invalid(`metadata "${key}" has ${entry.elements.length} elements for ${layers} layers`);
    return Array.from({ length: layers }, (_, i) => Number(entry.elements.at(i)));
  }

  /** All metadata as plain data. `first` is how many elements of an array are shown. */
  summary(first = 3): MetadataSummary {
    const made: Record<string, GgufScalar | { elementType: GgufValueType; length: number; first: GgufScalar[] }> = {};
    for (const entry of this.#header.entries.values()) {
      if (entry.type === "arr") {
        const shown = Array.from({ length: Math.min(first, entry.elements.length) }, (_, i) => entry.elements.at(i) ?? 0);
        Object.defineProperty(made, entry.key, { value: { elementType: entry.elementType, length: entry.elements.length, first: shown }, enumerable: true });
      } else {
        // defineProperty, because a file may hold the key "__proto__".
        Object.defineProperty(made, entry.key, { value: entry.value, enumerable: true });
      }
    }
    return made;
  }
}
