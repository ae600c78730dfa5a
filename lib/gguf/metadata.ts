// Typed look-ups in a model's metadata. Refuses a value of a wrong type, like llama.cpp.
import { R1Error } from "../base/errors.js";
import { invalidGguf } from "./cursor.js";
import type { GgufEntry, GgufHeader, GgufScalar, GgufValueType } from "./format.js";

/** Metadata as plain data: scalars unchanged, arrays by length and first elements. */
export type MetadataSummary = Readonly<
  Record<
    string,
    | GgufScalar
    | {
        readonly elementType: GgufValueType;
        readonly length: number;
        readonly first: readonly GgufScalar[];
      }
  >
>;

/** A value that llama.cpp reads instead of the file's. */
export interface MetadataOverride {
  readonly key: string;
  readonly kind: "int" | "float" | "bool" | "string";
  readonly value: number | boolean | string;
}

const MAX_U32 = 2 ** 32 - 1;
/**
 * The kind of override that each type of value accepts; llama.cpp ignores an override of another
 * kind.
 */
const KINDS: Readonly<Partial<Record<GgufValueType, MetadataOverride["kind"]>>> = {
  f32: "float",
  f64: "float",
  bool: "bool",
  str: "string",
};

/** Looks up a model's metadata by full key. */
export class Metadata {
  readonly #header: GgufHeader;
  readonly #overrides: ReadonlyMap<string, MetadataOverride>;

  /**
   * @param overrides - Take precedence over the file's own values, like in llama.cpp.
   * @throws {R1Error} `INVALID_ARGUMENT` for an override that llama.cpp would ignore.
   */
  constructor(header: GgufHeader, overrides: readonly MetadataOverride[] = []) {
    this.#header = header;
    this.#overrides = new Map(overrides.map((override) => [override.key, override]));
    for (const { key, kind } of overrides) {
      const type = this.entry(key)?.type;
      if (type === undefined) continue;
      const right = type === "arr" ? undefined : (KINDS[type] ?? "int");
      if (kind === right) continue;
      const option = `metadataOverrides["${key}"]`;
      const why =
        right === undefined
          ? "an array, which cannot be overridden. Take the override out."
          : `of type ${type}. Give \`metadataOverrides\` the kind ${right} to set another value.`;
      throw new R1Error(
        "INVALID_ARGUMENT",
        `\`${option}\` is of kind "${kind}", and in ${header.path} the value is ${why}`,
        { details: { option } },
      );
    }
  }

  /** Throws `GGUF_INVALID` for the file. */
  invalid(what: string): never {
    throw invalidGguf(this.#header.path, what);
  }

  /** Returns the raw pair. */
  entry(key: string): GgufEntry | undefined {
    return this.#header.entries.get(key);
  }

  /** Returns the override of a key if it is of the given kind. */
  #override(key: string, kind: MetadataOverride["kind"]): GgufScalar | undefined {
    const override = this.#overrides.get(key);
    return override?.kind === kind ? override.value : undefined;
  }

  #scalar(key: string, type: GgufValueType): GgufScalar | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    if (entry.type === "arr" || entry.type !== type)
      this.invalid(`metadata "${key}" is of type ${entry.type}, where ${type} is right`);
    return entry.value;
  }

  /** Returns an unsigned 32-bit number, the type of nearly all hyperparameters. */
  u32(key: string): number | undefined {
    const override = this.#override(key, "int") as number | undefined;
    if (override === undefined) return this.#scalar(key, "u32") as number | undefined;
    // llama.cpp would truncate a value that does not fit.
    if (override < 0 || override > MAX_U32)
      this.invalid(`metadata "${key}" is ${override}, outside 0 to ${MAX_U32}`);
    return override;
  }

  f32(key: string): number | undefined {
    const override = this.#override(key, "float") as number | undefined;
    if (override === undefined) return this.#scalar(key, "f32") as number | undefined;
    const rounded = Math.fround(override);
    if (!Number.isFinite(rounded))
      this.invalid(`metadata "${key}" is ${override}, more than a 32-bit float holds`);
    return rounded;
  }

  bool(key: string): boolean | undefined {
    return (this.#override(key, "bool") ?? this.#scalar(key, "bool")) as boolean | undefined;
  }

  /** Returns a text up to its first NUL character, like llama.cpp. */
  text(key: string): string | undefined {
    return (
      (this.#override(key, "string") ?? this.#scalar(key, "str")) as string | undefined
    )?.replace(/\0.*$/s, "");
  }

  /**
   * Returns an array of `layers` numbers from one number, or from one number per layer. Undefined
   * if the file has no value, even with an override: llama.cpp reads these values the same way.
   */
  perLayer(key: string, layers: number): number[] | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    if (entry.type !== "arr") return Array.from({ length: layers }, () => this.u32(key) ?? 0);
    if (!["u32", "i32", "bool"].includes(entry.elementType))
      this.invalid(`metadata "${key}" is an array of ${entry.elementType}, where u32 is right`);
    if (entry.elements.length !== layers)
      this.invalid(`metadata "${key}" has ${entry.elements.length} elements for ${layers} layers`);
    return Array.from({ length: layers }, (_, i) => Number(entry.elements.at(i)));
  }

  /** Returns all metadata as plain data. `first` is the number of array elements to include. */
  summary(first = 3): MetadataSummary {
    const made: Record<
      string,
      GgufScalar | { elementType: GgufValueType; length: number; first: GgufScalar[] }
    > = {};
    for (const entry of this.#header.entries.values()) {
      if (entry.type === "arr") {
        const shown = Array.from(
          { length: Math.min(first, entry.elements.length) },
          (_, i) => entry.elements.at(i) ?? 0,
        );
        Object.defineProperty(made, entry.key, {
          value: { elementType: entry.elementType, length: entry.elements.length, first: shown },
          enumerable: true,
        });
      } else {
        // defineProperty, because a file may contain the key "__proto__".
        Object.defineProperty(made, entry.key, { value: entry.value, enumerable: true });
      }
    }
    return made;
  }
}
