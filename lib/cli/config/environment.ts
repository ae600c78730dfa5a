// Settings from the environment: R1_NATIVE_CTX_SIZE is --ctx-size. Pure.
import { nearest } from "../../base/check.js";
import { COMMAND_FLAGS, type FlaggedCommand } from "../command-flags.js";
import { SERVE_ENVIRONMENT } from "../flags-serve.js";
import { nameOf, type Flag } from "../flags.js";
import { reachOf } from "./reach.js";
import { settingOfText, type Setting } from "./settings.js";

const PREFIX = "R1_NATIVE_";

/** The variable that sets a flag. */
export const variableOf = (flag: Flag): string =>
  PREFIX + nameOf(flag).replace(/^-+/, "").replaceAll("-", "_").toUpperCase();

/**
 * The settings of a command that the environment holds. An empty variable sets nothing. For `serve`
 * llama-server's variables count too; ours are stronger.
 *
 * @throws {R1Error} `CONFIG_INVALID` for a value that the flag does not accept.
 */
export function environmentSettings(command: FlaggedCommand, env: NodeJS.ProcessEnv): Setting[] {
  const found: Setting[] = [];
  const read = (flag: Flag, variable: string): void => {
    const text = env[variable];
    if (text === undefined || text === "") return;
    const setting = settingOfText(flag, text, { source: "environment", place: variable });
    if (setting !== undefined) found.push(setting);
  };
  const flags = COMMAND_FLAGS[command].filter((flag) => reachOf(flag) !== "command line");
  for (const flag of flags) read(flag, variableOf(flag));
  if (command === "serve")
    for (const [variable, name] of Object.entries(SERVE_ENVIRONMENT)) {
      const flag = flags.find(({ names }) => names.includes(name));
      if (flag !== undefined && !found.some((setting) => setting.flag === flag))
        read(flag, variable);
    }
  return found;
}

/** Describes variables that look like settings and set nothing. */
export function strayVariables(env: NodeJS.ProcessEnv): string[] {
  const flags = Object.values(COMMAND_FLAGS).flat();
  const known = flags.filter((flag) => reachOf(flag) !== "command line").map(variableOf);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .map((name) => {
      const near = nearest(name, known);
      const next =
        near === undefined ? "r1-native config --all lists them." : `Did you mean ${near}?`;
      return `The variable ${name} sets nothing: no setting has this name. ${next}`;
    });
}
