// Settings from a configuration file: JSON whose keys are the names of flags, with a section for
// each command that needs other values. Main thread.
import { readFileSync, statSync } from "node:fs";
import { nearest } from "../../base/check.js";
import { R1Error } from "../../base/errors.js";
import { fileFailure } from "../../base/files/failure.js";
import { COMMAND_FLAGS, hasFlagTable, type FlaggedCommand } from "../command-flags.js";
import { nameOf, type Flag } from "../flags.js";
import { variableOf } from "./environment.js";
import { reachOf } from "./reach.js";
import { settingOf, type Origin, type Setting } from "./settings.js";

/** Larger files hold no settings. Unit: bytes. */
const LARGEST = 2 ** 20;

type Entries = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Entries =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function invalid(path: string, what: string, cause?: unknown): never {
  throw new R1Error("CONFIG_INVALID", `${JSON.stringify(path)} ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { path },
  });
}

/** Reads a file; undefined if there is none. */
function readEntries(path: string): Entries | undefined {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  // A pipe may have no end.
  if (!facts.isFile() || facts.size > LARGEST)
    invalid(path, `is not a regular file of at most ${LARGEST} bytes.`);
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw fileFailure(error, path, "read");
  }
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    invalid(path, `is not JSON: ${(error as Error).message.replace(/\s+/g, " ")}.`, error);
  }
  if (!isObject(entries)) invalid(path, "must hold one JSON object.");
  return entries;
}

const plain = (name: string): string => name.replaceAll("_", "-");

/** The flags that a key names, among some. */
function flagsFor(key: string, flags: readonly Flag[]): Flag[] {
  const name = `--${plain(key)}`;
  return flags.filter(({ names }) => names.includes(name));
}

const ALL_FLAGS = Object.values(COMMAND_FLAGS).flat();

function refuseKey(path: string, key: string, flags: readonly Flag[], where: string): never {
  const names = flags
    .filter((flag) => reachOf(flag) !== "command line")
    .map((flag) => nameOf(flag).slice(2));
  const near = nearest(key, names);
  const next =
    near === undefined ? "r1-native config --all lists the keys." : `Did you mean "${near}"?`;
  invalid(path, `has the key ${JSON.stringify(key)}${where}, which sets nothing. ${next}`);
}

/** @throws {R1Error} `CONFIG_FORBIDDEN` for a key that this kind of file must not hold. */
function checkReach(flag: Flag, key: string, { source, place }: Origin): void {
  const reach = reachOf(flag);
  if (reach === "anywhere" || (reach === "user" && source !== "project file")) return;
  const why =
    reach === "user"
      ? "a project's file must not name what is loaded, read or contacted. " +
        `Set it in your own file, with ${variableOf(flag)}, or with ${nameOf(flag)}`
      : `it is meant for one call. Use ${nameOf(flag)}`;
  throw new R1Error(
    "CONFIG_FORBIDDEN",
    `${JSON.stringify(key)} cannot be set in ${JSON.stringify(place)}: ${why}.`,
    { details: { option: nameOf(flag), path: place } },
  );
}

/**
 * Reads the settings of a command from a file: those of its own section first, which are stronger.
 * Every key is checked, also those of other commands. A missing file has no settings.
 *
 * @throws {R1Error} `CONFIG_INVALID`, `CONFIG_FORBIDDEN`, `FILE_UNREADABLE`
 */
export function fileSettings(command: FlaggedCommand, origin: Origin): Setting[] {
  const { place } = origin;
  const entries = readEntries(place);
  const own: Setting[] = [];
  const shared: Setting[] = [];
  const read = (value: unknown, flag: Flag, into: Setting[] | undefined): void => {
    const setting = settingOf(flag, value, origin);
    if (setting !== undefined) into?.push({ ...setting, isInSection: into === own });
  };
  for (const [key, value] of Object.entries(entries ?? {})) {
    if (key === "$schema") continue;
    if (hasFlagTable(key) && isObject(value)) {
      for (const [inner, innerValue] of Object.entries(value)) {
        const [flag] = flagsFor(inner, COMMAND_FLAGS[key]);
        if (flag === undefined) refuseKey(place, inner, COMMAND_FLAGS[key], ` in "${key}"`);
        checkReach(flag, inner, origin);
        read(innerValue, flag, key === command ? own : undefined);
      }
      continue;
    }
    const named = flagsFor(key, ALL_FLAGS);
    const [any] = named;
    if (any === undefined) refuseKey(place, key, ALL_FLAGS, "");
    // The key holds for every command that has such a flag.
    for (const flag of named) checkReach(flag, key, origin);
    const [mine] = flagsFor(key, COMMAND_FLAGS[command]);
    read(value, mine ?? any, mine === undefined ? undefined : shared);
  }
  return [...own, ...shared];
}
