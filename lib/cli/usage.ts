// Describes errors of a command line that commander refuses, in the words of all other errors.
// Pure.
import type { Argument, Command, CommanderError } from "commander";
import { R1Error } from "../base/errors.js";

const argumentText = (argument: Argument): string => {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

/** Flags that name a model where it has one, as in `run` and `chat`. */
const MODEL_FLAG = /^(-m|--model|-hf|--hf-repo)(=|$)/;

/** Names of arguments that are a model. */
const MODEL_ARGUMENTS = new Set(["source", "file|url", "repo", "model", "input", "file", "first"]);

/** What to do about a model's flag where the model is an argument; undefined for other flags. */
function modelHint(flag: string, command: Command | undefined): string | undefined {
  const [first] = command?.registeredArguments ?? [];
  if (command === undefined || first === undefined || !MODEL_ARGUMENTS.has(first.name()))
    return undefined;
  if (!MODEL_FLAG.test(flag)) return undefined;
  const hub = flag.includes("-hf") ? " One on the Hub is hf:OWNER/NAME:QUANT." : "";
  return `Give the model without one: ${usageOf(command)}.${hub}`;
}

/** Returns the usage of a command: `r1-native pull <repo> [pattern...]`. */
function usageOf(command: Command): string {
  const words = command.registeredArguments.map(argumentText);
  return ["r1-native", command.name(), ...words].join(" ");
}

/**
 * Converts an error of commander to one of ours; undefined for what is not an error, such as shown
 * help.
 */
export function usageError(
  error: CommanderError,
  command: Command | undefined,
): R1Error | undefined {
  if (error.exitCode === 0) return undefined;
  const about = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  const help = `${command === undefined ? "r1-native" : `r1-native ${command.name()}`} --help`;
  const usage = command === undefined ? "r1-native <command>" : usageOf(command);
  const refuse = (message: string): R1Error =>
    new R1Error("INVALID_ARGUMENT", message, { details: { option: about } });
  switch (error.code) {
    case "commander.optionMissingArgument":
      return refuse(
        `${about.replace(/\s[<[].*$/, "").replace(/^-\w, /, "")} needs a value after it; ${help} lists the flags.`,
      );
    case "commander.missingArgument":
      return refuse(`<${about}> is missing: ${usage}.`);
    case "commander.missingMandatoryOptionValue":
      return refuse(`${about} is missing; ${help} lists the flags.`);
    case "commander.excessArguments":
      return refuse(`There are too many arguments: ${usage}.`);
    case "commander.unknownOption": {
      const near = /Did you mean ([^?]+)\?/.exec(error.message)?.[1];
      const next =
        modelHint(about, command) ??
        (near === undefined ? `${help} lists the flags.` : `Did you mean ${near}?`);
      return new R1Error("UNKNOWN_OPTION", `There is no flag ${about}. ${next}`, {
        details: { option: about },
      });
    }
    default:
      return refuse(error.message.replace(/^error: /, "").replace(/\n[^]*$/, "."));
  }
}
