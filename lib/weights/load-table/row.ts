// The fields of one row of the table of load options, and the check that follows from them.
import { boolean, integer, oneOf } from "../../base/check.js";

/** Checks a value and returns the value that the library uses. @throws {R1Error} */
export type Check = (value: unknown, path: string) => unknown;

/** The values that an option accepts. */
export type LoadKind =
  /** A whole number. */
  | { readonly type: "whole"; readonly min: number; readonly max: number }
  /** true or false. */
  | { readonly type: "switch" }
  /** One of some words. */
  | { readonly type: "choice"; readonly values: readonly string[] }
  /** Anything else: a description, and its check. */
  | { readonly type: "other"; readonly values: string; readonly check: Check };

/** A command line flag that sets an option. */
export interface LoadFlag {
  /** All spellings, as in llama.cpp; messages use the last long one. */
  readonly names: readonly string[];
  /** Description of the flag in the program's help; plain text. */
  readonly doc: string;
  /** Name of the flag's value in the help; a flag without one is a switch and has `sets`. */
  readonly value?: string;
  /** The value that a switch sets. */
  readonly sets?: unknown;
  /** The words that the flag accepts, with the option's values; default: the text itself. */
  readonly words?: Readonly<Record<string, string>>;
  /**
   * The word used when the value is left out; the flag then accepts a value only if it is in
   * `words`.
   */
  readonly wordIfLeftOut?: string;
  /**
   * How the program reads the value, if not by the option's kind: the name of a reader in the
   * program.
   */
  readonly reader?: string;
  /** For an option that is a group: the member that the flag sets. */
  readonly field?: string;
  /** The default as shown in the help, if it differs from the row's. */
  readonly shownDefault?: string;
}

/** One option of `loadModel`. */
export interface LoadRow {
  /** Description of the option; the text of docs/reference/api.md, in Markdown. */
  readonly doc: string;
  readonly kind: LoadKind;
  /** The default value; missing if there is none or other options determine it. */
  readonly default?: boolean | number | string | readonly unknown[];
  /** The default in words, if the value alone does not explain it. */
  readonly defaultText?: string;
  /** The native configuration that has a field of this name: the engine's or the model's. */
  readonly native?: "engine" | "model";
  /** llama.cpp's flags, and our own if llama.cpp has none. */
  readonly flags?: readonly LoadFlag[];
}

/** A whole number from `min` to `max`. */
export const whole = <const Min extends number, const Max extends number>(min: Min, max: Max) =>
  ({ type: "whole", min, max }) as const;

/** true or false. */
export const onOff = { type: "switch" } as const;

/** One of some words. */
export const choice = <const Values extends readonly string[]>(...values: Values) =>
  ({ type: "choice", values }) as const;

/** Values of another kind. */
export const other = (values: string, check: Check) => ({ type: "other", values, check }) as const;

/** The check of a kind. */
export function checkOf(kind: LoadKind): Check {
  switch (kind.type) {
    case "whole":
      return (value, path) => integer(value, path, kind.min, kind.max);
    case "switch":
      return boolean;
    case "choice":
      return (value, path) => oneOf(value, path, kind.values);
    case "other":
      return kind.check;
  }
}
