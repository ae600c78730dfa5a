// `r1-native config`: shows which settings hold for a command, and where each comes from. Main
// thread; loads no model.
import type { Command } from "commander";
import { nearest } from "../../base/check.js";
import { documentAddress } from "../../base/documents.js";
import { R1Error } from "../../base/errors.js";
import { COMMAND_FLAGS, hasFlagTable, type FlaggedCommand } from "../command-flags.js";
import { Configuration } from "../config/configuration.js";
import { strayVariables, variableOf } from "../config/environment.js";
import { reachOf } from "../config/reach.js";
import type { Setting } from "../config/settings.js";
import { tableText } from "../file-work.js";
import { nameOf, type Flag } from "../flags.js";
import { reportText } from "../report-json.js";
import { write } from "../render.js";
import { forTerminal } from "../wrap.js";

const HELP = `
A setting is a flag without its dashes. The first of these sources that has it sets it:
  1. the flag on the command line
  2. the environment: R1_NATIVE_CTX_SIZE is --ctx-size
  3. the project's file: r1-native.config.json in this folder or above it, up to the root of a Git repository
  4. the user's file: $XDG_CONFIG_HOME/r1-native/config.json (~/.config/r1-native/config.json)
  5. the default

A file: { "temp": 0.5, "chat": { "ctx-size": 16384, "show-reasoning": true } }
A project's file must not name what is loaded, read or contacted: models, folders, addresses, keys, modules.

Examples:
  r1-native config              what is set for run
  r1-native config serve --all  every setting of serve, with its variable and its default

See ${documentAddress("reference/config.md")} for details.`;

/** Values that are not shown. */
const SECRETS = ["apiKeys"];
/** The password in an address. */
const PASSWORD = /(?<=:\/\/[^/@\s]*:)[^/@\s]*(?=@)/g;

/** One line of the list. */
interface Line {
  readonly key: string;
  /** undefined: there is no default that can be given in a word. */
  readonly value: string | boolean | readonly string[] | undefined;
  readonly source: Setting["from"]["source"] | "default";
  /** The variable or the file. */
  readonly place: string | undefined;
  /** The variable that sets it. */
  readonly variable: string;
  /** A stronger source sets something else. */
  readonly isReplaced: boolean;
}

const keyOf = (flag: Flag): string => nameOf(flag).replace(/^-+/, "");

function valueOf({ flag, values }: Setting): Line["value"] {
  if (flag.value === undefined) return true;
  const shown = values.map((value) =>
    SECRETS.includes(flag.option) ? "(hidden)" : value.replace(PASSWORD, "(hidden)"),
  );
  return shown.length === 1 ? (shown[0] ?? "") : shown;
}

/** The default that a flag's help names. */
const defaultOf = ({ doc }: Flag): string | undefined => /\(default: ([^()]*)\)/.exec(doc)?.[1];

/** The settings of a command, those that hold first. */
function linesOf(command: FlaggedCommand, { settings }: Configuration, held: Set<Setting>): Line[] {
  const set = settings.map((setting): Line => ({
    key: keyOf(setting.flag),
    value: valueOf(setting),
    source: setting.from.source,
    place: setting.from.place,
    variable: variableOf(setting.flag),
    isReplaced: !held.has(setting),
  }));
  const isSet = new Set(set.filter(({ isReplaced }) => !isReplaced).map(({ key }) => key));
  const rest = COMMAND_FLAGS[command]
    .filter((flag) => reachOf(flag) !== "command line" && !isSet.has(keyOf(flag)))
    .map((flag): Line => ({
      key: keyOf(flag),
      value: defaultOf(flag),
      source: "default",
      place: undefined,
      variable: variableOf(flag),
      isReplaced: false,
    }));
  return [...set, ...rest];
}

function text(lines: readonly Line[], files: readonly string[], isAll: boolean): string {
  const rows = lines.map(({ key, value, source, place, variable, isReplaced }) => [
    key,
    value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value),
    isReplaced ? `${source} (replaced)` : source,
    place ?? variable,
  ]);
  const head = ["setting", "value", "from", isAll ? "place, or variable" : "place"];
  const looked = `Files: ${files.join(", ")}`;
  if (rows.length === 0) return `Nothing is set: all settings have their defaults.\n${looked}\n`;
  return `${tableText([head, ...rows])}\n\n${looked}\n`;
}

function checkCommand(name: string): asserts name is FlaggedCommand {
  if (hasFlagTable(name)) return;
  const names = Object.keys(COMMAND_FLAGS);
  const near = nearest(name, names);
  throw new R1Error(
    "INVALID_ARGUMENT",
    `Expected one of ${names.join(", ")} after config but received ${JSON.stringify(name)}.` +
      (near === undefined ? "" : ` Did you mean ${near}?`),
    { details: { option: "command" } },
  );
}

async function show(name = "run", options: { all?: boolean; json?: boolean }): Promise<void> {
  checkCommand(name);
  for (const stray of strayVariables(process.env))
    process.stderr.write(forTerminal(`warning: ${stray}\n`, process.stderr));
  const configuration = Configuration.read(name);
  const held = new Set(configuration.beside([]));
  const all = linesOf(name, configuration, held);
  const isAll = options.all === true;
  const lines = isAll ? all : all.filter(({ source }) => source !== "default");
  const { files } = configuration;
  await write(
    process.stdout,
    options.json === true
      ? reportText("config", { command: name, files, settings: lines })
      : text(lines, files, isAll),
  );
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("config")
    .argument("[command]", `one of ${Object.keys(COMMAND_FLAGS).join(", ")} (default: run)`)
    .option("--all", "also settings that have their defaults")
    .option("--json", "as JSON")
    .addHelpText("after", HELP)
    .action(show);
}
