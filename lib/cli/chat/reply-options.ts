// The options of replies as `/set` takes and shows them: by the names of flags. Pure.
import { nearest } from "../../base/check.js";
import { R1Error } from "../../base/errors.js";
import { nameOf, refuseFlag, setOption, type Flag } from "../flags.js";

type Options = Readonly<Record<string, unknown>>;

/** Normalises a flag's name as users may type it. */
const plain = (name: string): string => name.replace(/^-+/, "").replaceAll("_", "-");

/** The name of a flag, without dashes. */
export const plainName = (flag: Flag): string => plain(nameOf(flag));

function flagNamed(flags: readonly Flag[], name: string): Flag {
  const flag =
    flags.find(({ names }) => names.some((one) => plain(one) === plain(name))) ??
    // The library's name of an option: topP is --top-p.
    flags.find(({ option, field }) => field === undefined && option === name);
  if (flag !== undefined) return flag;
  const near = nearest(name, flags.map(plainName));
  throw new R1Error(
    "UNKNOWN_OPTION",
    `/set does not know ${name}. ` +
      (near === undefined
        ? "It sets the flags of replies, not those of loading; Tab after /set lists them."
        : `Did you mean ${near}?`),
    { details: { option: name, nearest: near } },
  );
}

/** Turns a switch on or off. */
function flip(options: Record<string, unknown>, flag: Flag, value: string): void {
  if (["", "on", "true", "1"].includes(value)) setOption(options, flag, []);
  else if (["off", "false", "0"].includes(value)) Reflect.deleteProperty(options, flag.option);
  else refuseFlag(nameOf(flag), "on, off or default", value);
}

/**
 * Options with one change.
 *
 * @param before - Not changed.
 * @param given - What the command line gave, which "default" restores.
 * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`
 */
export function withFlag(
  before: Options,
  given: Options,
  flags: readonly Flag[],
  [name, value]: readonly [name: string, value: string],
): Options {
  const flag = flagNamed(flags, name);
  const options: Record<string, unknown> = { ...before };
  const { option, field } = flag;
  if (value === "default") {
    const whole = given[option] as Options | undefined;
    const group = options[option] as Options | undefined;
    options[option] =
      field === undefined || option === "response" ? whole : { ...group, [field]: whole?.[field] };
    return options;
  }
  if (flag.value === undefined) {
    flip(options, flag, value);
    return options;
  }
  if (value === "") refuseFlag(nameOf(flag), "a value, or default,", undefined);
  // An answer can have only one form.
  if (option === "response") Reflect.deleteProperty(options, option);
  setOption(options, flag, [value]);
  return options;
}

/** A value as it is typed, as far as there is such a form. */
function valueText({ value: takes, parse, option }: Flag, value: unknown): string {
  if (takes === undefined) return "on";
  const word = parse.words?.find((each) => parse([each], "", undefined) === value);
  if (word !== undefined) return word;
  if (option === "logitBias")
    return Object.entries(value as Readonly<Record<string, number>>)
      .map(([id, bias]) => `${id}${bias < 0 ? "-" : "+"}${String(Math.abs(bias))}`)
      .join(" ")
      .replaceAll("Infinity", "inf");
  const many = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return many.length === 0 ? "none" : many.map((each) => JSON.stringify(each)).join(" ");
}

/** The options that are set, each with the name and the form in which `/set` takes it. */
export function settingTexts(options: Options, flags: readonly Flag[]): string[] {
  const seen = new Set<string>();
  return flags.flatMap((flag) => {
    const { option, field } = flag;
    const whole = options[option];
    const value = field === undefined ? whole : (whole as Options | undefined)?.[field];
    const key = `${option}.${field ?? ""}`;
    if (value === undefined || seen.has(key)) return [];
    seen.add(key);
    return [`${plainName(flag)} ${valueText(flag, value)}`];
  });
}
