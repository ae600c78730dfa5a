// The table of all load options: the source of checks, defaults, native configuration, flags with
// their help, and docs/reference/api.md. A new option needs a row here, a member of LoadOptions, and
// its use in native code.
import type { LoadOptions } from "../load-options.js";
import { CONTEXT_ROWS } from "./context.js";
import { DEVICE_ROWS } from "./devices.js";
import { MODEL_ROWS } from "./model.js";
import { REQUEST_ROWS } from "./requests.js";
import { checkOf, type LoadRow } from "./row.js";
import { THREAD_ROWS } from "./threads.js";

const TABLE = {
  ...CONTEXT_ROWS,
  ...MODEL_ROWS,
  ...DEVICE_ROWS,
  ...THREAD_ROWS,
  ...REQUEST_ROWS,
} as const satisfies Record<keyof LoadOptions, LoadRow>;

type Table = typeof TABLE;

/** The options whose row names a native configuration. */
export type NativeKey<Side extends "engine" | "model"> = {
  [Key in keyof Table]: Table[Key] extends { readonly native: Side } ? Key : never;
}[keyof Table];

/** Every option, with the default of its row if there is one. */
export type LoadDefaults = {
  readonly [Key in keyof Table]: Table[Key] extends { readonly default: unknown }
    ? Exclude<LoadOptions[Key], undefined>
    : LoadOptions[Key];
};

/** Every option of `loadModel` by name. */
export const LOAD_TABLE: Readonly<Record<keyof LoadOptions, LoadRow>> = Object.freeze(TABLE);

/** Names of all load options. */
export const LOAD_KEYS: readonly (keyof LoadOptions)[] = Object.freeze(
  Object.keys(TABLE) as (keyof LoadOptions)[],
);

/** The options, grouped under the headings of the program's help. */
export const LOAD_OPTION_GROUPS: readonly {
  readonly heading: string;
  readonly rows: Readonly<Record<string, LoadRow>>;
}[] = Object.freeze([
  { heading: "Context and cache:", rows: CONTEXT_ROWS },
  { heading: "Model:", rows: MODEL_ROWS },
  { heading: "Devices:", rows: DEVICE_ROWS },
  { heading: "Threads:", rows: THREAD_ROWS },
  { heading: "Requests, sessions and callbacks:", rows: REQUEST_ROWS },
]);

/**
 * Checks one option by its row.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` for a value that the row does not accept.
 */
export function checkLoadOption(name: keyof LoadOptions, value: unknown): unknown {
  return checkOf(LOAD_TABLE[name].kind)(value, name);
}

/** Returns all options: the given ones, and the defaults of the rows for the rest. */
export function withDefaults(given: LoadOptions): LoadDefaults {
  return Object.fromEntries(
    LOAD_KEYS.map((name) => [name, given[name] ?? LOAD_TABLE[name].default]),
  ) as LoadDefaults;
}

/** Returns the options that belong to a native configuration: those whose row names it. */
export function nativeFields<Side extends "engine" | "model", Config>(
  config: Config,
  side: Side,
): Pick<Config, Extract<NativeKey<Side>, keyof Config>> {
  const names = LOAD_KEYS.filter((name) => LOAD_TABLE[name].native === side);
  return Object.fromEntries(names.map((name) => [name, config[name as keyof Config]])) as Pick<
    Config,
    Extract<NativeKey<Side>, keyof Config>
  >;
}
