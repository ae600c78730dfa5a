#!/usr/bin/env node
// The program `r1-native`: lists its commands, reads the command line, and turns failures into exit codes; main thread.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { nearest } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { normalizeArgv } from "./argv.js";
import * as chat from "./commands/chat.js";
import * as devices from "./commands/devices.js";
import * as doctor from "./commands/doctor.js";
import * as imatrix from "./commands/imatrix.js";
import * as inspect from "./commands/inspect.js";
import * as merge from "./commands/merge.js";
import * as plan from "./commands/plan.js";
import * as pull from "./commands/pull.js";
import * as quantize from "./commands/quantize.js";
import * as quants from "./commands/quants.js";
import * as rpcServer from "./commands/rpc-server.js";
import * as run from "./commands/run.js";
import * as split from "./commands/split.js";
import { endOnClosedPipe, EXIT, reportFailure } from "./exit.js";
import { flagsOf } from "./flags.js";

/** One file a command; each adds itself to the program. */
const COMMANDS: readonly { register: (program: Command) => void }[] = [
  run,
  chat,
  devices,
  plan,
  pull,
  inspect,
  doctor,
  merge,
  split,
  imatrix,
  quantize,
  quants,
  rpcServer,
];

const HELP = `
Without a command the flags are those of run: r1-native -p "What is 1+1?"
r1-native <command> --help tells the flags of a command.`;

function packageVersion(): string {
  const { version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  return version;
}

/** Our version, and llama.cpp's as the addon tells it. */
async function showVersion(): Promise<void> {
  const { llamaVersion } = await import("../model/llama-version.js");
  process.stdout.write(`r1-native ${packageVersion()}\nllama.cpp ${llamaVersion()}\n`);
}

function buildProgram(): Command {
  const program = new Command("r1-native")
    .description(
      "DeepSeek-R1 on this machine: llama.cpp on a thread of its own, streamed as reasoning and answer",
    )
    .option("--version", "tell the versions of r1-native and llama.cpp")
    .addHelpText("after", HELP)
    .showHelpAfterError(
      "(r1-native --help lists the commands; r1-native run --help lists the flags)",
    )
    .exitOverride();
  for (const { register } of COMMANDS) register(program);
  return program;
}

/** Finds the command a line is for: its first word, or `run` when that is a flag. */
function findCommand(
  program: Command,
  words: readonly string[],
): { command: Command | undefined; args: string[] } {
  const [first, ...rest] = words;
  if (first === undefined)
    return process.stdin.isTTY
      ? { command: undefined, args: ["--help"] }
      : findCommand(program, ["run"]);
  if (["-h", "--help", "help", "--version"].includes(first))
    return { command: undefined, args: [...words] };
  const named = program.commands.find(
    (command) => command.name() === first || command.aliases().includes(first),
  );
  if (named !== undefined) return { command: named, args: rest };
  if (first.startsWith("-")) return findCommand(program, ["run", ...words]);
  const near = nearest(
    first,
    program.commands.map((command) => command.name()),
  );
  throw new R1Error(
    "INVALID_ARGUMENT",
    `There is no command ${JSON.stringify(first)}. ${near === undefined ? "r1-native --help lists them." : `Did you mean ${near}?`}`,
  );
}

async function main(words: readonly string[]): Promise<number> {
  const program = buildProgram();
  let command: Command | undefined;
  try {
    const found = findCommand(program, words);
    command = found.command;
    if (command === undefined && found.args[0] === "--version") await showVersion();
    else if (command === undefined) await program.parseAsync(found.args, { from: "user" });
    else {
      const flags = flagsOf(command);
      await program.parseAsync(
        [command.name(), ...(flags.length === 0 ? found.args : normalizeArgv(found.args, flags))],
        { from: "user" },
      );
    }
    return EXIT.ok;
  } catch (error) {
    return reportFailure(error, command);
  }
}

endOnClosedPipe();
process.exitCode = await main(process.argv.slice(2));
