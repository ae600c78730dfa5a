#!/usr/bin/env node
// The program `r1-native`: lists its commands, parses the command line and turns failures into exit
// codes. Main thread.
import type { Command } from "commander";
import { nearest } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { normalizeArgv } from "./argv.js";
import { COMMANDS } from "./command-files.js";
import { EXIT, reportFailure, showWarnings, watchOutput } from "./exit.js";
import { flagsOf, formatItem, setConfigured } from "./flags.js";
import { loadCommand } from "./load-command.js";
import { reportText } from "./report-json.js";
import { programHelp } from "./program-help.js";
import { versions } from "./versions.js";
import { forTerminal, wrapText } from "./wrap.js";

const columns = (): number => process.stdout.columns || 80;

function showVersion(isJson: boolean): void {
  const { r1Native, llamaCpp } = versions();
  process.stdout.write(
    isJson
      ? reportText("version", { r1Native, llamaCpp })
      : `r1-native ${r1Native}\nllama.cpp ${llamaCpp}\n`,
  );
}

/** Lets the configuration set what the command line leaves open. It is read when the command runs. */
async function configure(command: Command, name: string): Promise<void> {
  const { hasFlagTable } = await import("./command-flags.js");
  if (!hasFlagTable(name)) return;
  const { Configuration } = await import("./config/configuration.js");
  const { strayVariables } = await import("./config/environment.js");
  setConfigured(command, (given) => {
    for (const text of strayVariables(process.env))
      process.stderr.write(forTerminal(`warning: ${text}\n`, process.stderr));
    return Configuration.read(name).beside(given);
  });
}

async function buildProgram(): Promise<Command> {
  const { Command } = await import("commander");
  return (
    new Command("r1-native")
      .configureHelp({ formatItem })
      // Errors that commander finds are reported like all other errors.
      .configureOutput({
        writeErr: () => undefined,
        writeOut: (text) => process.stdout.write(wrapText(text, columns())),
      })
      .exitOverride()
  );
}

/** What a command line asks for: a command with arguments, help, or the versions. */
type Meaning =
  | { readonly command: string; readonly args: readonly string[] }
  | { readonly command: undefined; readonly shows: "help" | "version" | "version as JSON" };

/** @throws {R1Error} `INVALID_ARGUMENT` for a word that is almost the name of a command. */
function meaningOf(words: readonly string[]): Meaning {
  const [first, second] = words;
  if (first === undefined)
    return process.stdin.isTTY
      ? { command: undefined, shows: "help" }
      : { command: "run", args: [] };
  if (first === "--version")
    return { command: undefined, shows: second === "--json" ? "version as JSON" : "version" };
  if (["-h", "--help"].includes(first)) return { command: undefined, shows: "help" };
  if (first === "help") {
    if (second === undefined) return { command: undefined, shows: "help" };
    if (Object.hasOwn(COMMANDS, second)) return { command: second, args: ["--help"] };
    throw unknownCommand([second], nearest(second, Object.keys(COMMANDS)));
  }
  const both = `${first} ${second ?? ""}`;
  if (Object.hasOwn(COMMANDS, both)) return { command: both, args: words.slice(2) };
  if (Object.hasOwn(COMMANDS, first)) return { command: first, args: words.slice(1) };
  // A single word may be a misspelt command; a sentence is a prompt.
  const near = /^\w[\w-]*$/.test(first) ? nearest(first, Object.keys(COMMANDS)) : undefined;
  if (near !== undefined) throw unknownCommand(words, near);
  return { command: "run", args: words };
}

function unknownCommand(words: readonly string[], near: string | undefined): R1Error {
  const flag = words.findIndex((word) => word.startsWith("-"));
  const prompt = words.slice(0, flag < 0 ? words.length : flag).join(" ");
  const next =
    near === undefined
      ? "r1-native --help lists them."
      : `Did you mean ${near}? As a prompt: r1-native run ${JSON.stringify(prompt)}.`;
  return new R1Error(
    "INVALID_ARGUMENT",
    `There is no command ${JSON.stringify(words[0])}. ${next}`,
  );
}

async function main(words: readonly string[]): Promise<number> {
  let command: Command | undefined;
  showWarnings(() => command);
  try {
    const meaning = meaningOf(words);
    if (meaning.command === undefined) {
      if (meaning.shows === "help") process.stdout.write(programHelp(COMMANDS, columns()));
      else showVersion(meaning.shows === "version as JSON");
      return EXIT.ok;
    }
    const program = await buildProgram();
    command = await loadCommand(program, COMMANDS, meaning.command);
    await configure(command, meaning.command);
    const flags = flagsOf(command);
    const args = flags.length === 0 ? meaning.args : normalizeArgv(meaning.args, flags);
    await program.parseAsync([meaning.command, ...args], { from: "user" });
    return EXIT.ok;
  } catch (error) {
    return reportFailure(error, command);
  }
}

watchOutput();
process.exitCode = await main(process.argv.slice(2));
