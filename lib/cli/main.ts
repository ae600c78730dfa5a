#!/usr/bin/env node
// The program `r1-native`: lists its commands, parses the command line and turns failures into exit
// codes. Main thread.
import type { Command } from "commander";
import { nearest } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { ownVersion } from "../base/package.js";
import { normalizeArgv } from "./argv.js";
import { COMMANDS } from "./command-files.js";
import { EXIT, reportFailure, showWarnings, watchOutput } from "./exit.js";
import { flagsOf, formatItem } from "./flags.js";
import { wrapText } from "./wrap.js";

const HELP = `
The command run is the default:
    r1-native "What is 1+1?"
    r1-native -m model.gguf -p "What is 1+1?"
r1-native <command> --help lists the flags of a command.`;

/** Prints our version, and llama.cpp's as the addon reports it. */
async function showVersion(): Promise<void> {
  const { llamaVersion } = await import("../index.js");
  process.stdout.write(`r1-native ${ownVersion() ?? "unknown"}\nllama.cpp ${llamaVersion()}\n`);
}

async function buildProgram(): Promise<Command> {
  const { Command } = await import("commander");
  return (
    new Command("r1-native")
      .description("Run DeepSeek-R1 on this machine, streamed as reasoning and answer")
      .option("--version", "show the versions of r1-native and llama.cpp")
      .addHelpText("after", HELP)
      .configureHelp({ formatItem })
      // Errors that commander finds are reported like all other errors.
      .configureOutput({
        writeErr: () => undefined,
        writeOut: (text) => process.stdout.write(wrapText(text, process.stdout.columns || 80)),
      })
      .exitOverride()
  );
}

/** What a command line asks for: a command with arguments, help, or the versions. */
type Meaning =
  | { readonly command: string; readonly args: readonly string[] }
  | { readonly command: undefined; readonly shows: "help" | "version" };

/** @throws {R1Error} `INVALID_ARGUMENT` for a word that is almost the name of a command. */
function meaningOf(words: readonly string[]): Meaning {
  const [first, second] = words;
  if (first === undefined)
    return process.stdin.isTTY
      ? { command: undefined, shows: "help" }
      : { command: "run", args: [] };
  if (first === "--version") return { command: undefined, shows: "version" };
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
    if (meaning.command === undefined && meaning.shows === "version") {
      await showVersion();
      return EXIT.ok;
    }
    const program = await buildProgram();
    if (meaning.command !== undefined) {
      (await COMMANDS[meaning.command]?.())?.register(program, COMMANDS);
      [command] = program.commands;
      if (command === undefined) throw new TypeError("no command was registered");
      const flags = flagsOf(command);
      const args = flags.length === 0 ? meaning.args : normalizeArgv(meaning.args, flags);
      await program.parseAsync([meaning.command, ...args], { from: "user" });
    } else {
      for (const load of Object.values(COMMANDS)) (await load()).register(program, COMMANDS);
      await program.parseAsync(["--help"], { from: "user" });
    }
    return EXIT.ok;
  } catch (error) {
    return reportFailure(error, command);
  }
}

watchOutput();
process.exitCode = await main(process.argv.slice(2));
