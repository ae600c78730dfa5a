// A setting of the program outside the command line: its flag, its values and where it comes from;
// and how texts of a file or a variable become values. Pure.
import { R1Error } from "../../base/errors.js";
import { nameOf, type Flag, type GivenFlag } from "../flags.js";

/** The kinds of sources, from the strongest to the weakest. */
export const SOURCES = ["environment", "project file", "user file"] as const;

/** Where a setting comes from. */
export interface Origin {
  readonly source: (typeof SOURCES)[number];
  /** The variable's name, or the file's path. */
  readonly place: string;
}

/** A setting and where it comes from. */
export interface Setting extends GivenFlag {
  readonly from: Origin;
  readonly origin: string;
  /** Stands in a file's section for the command, and is stronger than the rest of the file. */
  readonly isInSection?: boolean;
}

/** Where a setting stands, for messages. */
export const placeText = ({ source, place }: Origin): string =>
  source === "environment" ? `the variable ${place}` : JSON.stringify(place);

function refuse(flag: Flag, from: Origin, expected: string, value: unknown): never {
  throw new R1Error(
    "CONFIG_INVALID",
    `${placeText(from)}: expected ${expected} for ${nameOf(flag).replace(/^--/, "")} ` +
      `but received ${JSON.stringify(value)}.`,
    { details: { option: nameOf(flag), place: from.place } },
  );
}

const isScalar = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

/**
 * Turns a value of JSON into the words of a flag; undefined for a switch that is off.
 *
 * @throws {R1Error} `CONFIG_INVALID`
 */
function wordsOf(flag: Flag, value: unknown, from: Origin): readonly string[] | undefined {
  if (flag.value === undefined) {
    if (typeof value !== "boolean") refuse(flag, from, "true or false", value);
    return value ? [] : undefined;
  }
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (list.length === 0 || !list.every(isScalar))
    refuse(flag, from, "a text, a number or a list of these", value);
  return list.map(String);
}

/** Makes a setting of a value of JSON. @throws {R1Error} `CONFIG_INVALID` */
export function settingOf(flag: Flag, value: unknown, from: Origin): Setting | undefined {
  const values = wordsOf(flag, value, from);
  if (values === undefined) return undefined;
  try {
    flag.parse(values, nameOf(flag), undefined);
  } catch (error) {
    if (!(error instanceof R1Error)) throw error;
    throw new R1Error("CONFIG_INVALID", `${placeText(from)}: ${error.message}`, {
      cause: error,
      details: { option: nameOf(flag), place: from.place },
    });
  }
  return { flag, values, from, origin: `the ${from.source}: ${from.place}` };
}

const ON = /^(?:1|true|on|enabled|yes)$/i;
const OFF = /^(?:0|false|off|disabled|no)$/i;

/** Makes a setting of the text of a variable. @throws {R1Error} `CONFIG_INVALID` */
export function settingOfText(flag: Flag, text: string, from: Origin): Setting | undefined {
  if (flag.value !== undefined) return settingOf(flag, text, from);
  const isOn = ON.test(text) ? true : OFF.test(text) ? false : text;
  return settingOf(flag, isOn, from);
}
