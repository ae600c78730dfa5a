// What one row of the table of load options says, and the check that follows from it.
import { boolean, integer, oneOf } from "../../base/check.js";

/** Checks a value and returns what the library goes on with. @throws {R1Error} */
export type Check = (value: unknown, path: string) => unknown;

/** The values an option takes. */
export type LoadKind =
  /** A whole number. */
  | { readonly type: "whole"; readonly min: number; readonly max: number }
  /** true or false. */
  | { readonly type: "switch" }
  /** One of some words. */
  | { readonly type: "choice"; readonly values: readonly string[] }
  /** Anything else: what it is in words, and its check. */
  | { readonly type: "other"; readonly values: string; readonly check: Check };

/** A flag of the program that sets an option. */
export interface LoadFlag {
  /** All spellings, as llama.cpp has them; the last long one stands in messages. */
  readonly names: readonly string[];
  /** What the flag does, for the program's help; plain text. */
  readonly doc: string;
  /** Name of the flag's value in help; a flag without one is a switch and has `sets`. */
  readonly value?: string;
  /** What a switch sets the option to. */
  readonly sets?: unknown;
  /** The words that the flag takes, with the option's values; default: the text as it is. */
  readonly words?: Readonly<Record<string, string>>;
  /** The word that stands for a value left out; a value is then taken only if it is in `words`. */
  readonly wordIfLeftOut?: string;
  /** How the program reads the value, if not by the option's kind: a name the program knows. */
  readonly reader?: string;
  /** The member that the flag sets of an option that is a group. */
  readonly field?: string;
  /** The default as help shows it, if not the row's. */
  readonly shownDefault?: string;
}

/** One option of `loadModel`. */
export interface LoadRow {
  /** What it is for; the text of docs/api.md, in Markdown. */
  readonly doc: string;
  readonly kind: LoadKind;
  /** The value if none is given; left out where there is none or other options decide. */
  readonly default?: boolean | number | string | readonly unknown[];
  /** The default in words, where the value alone does not say it. */
  readonly defaultText?: string;
  /** The native configuration that has a field of this name: the engine's or the model's. */
  readonly native?: "engine" | "model";
  /** llama.cpp's flags, and ours where llama.cpp has none. */
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
