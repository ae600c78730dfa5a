// Loads the file of one command and adds the command to a commander program, so that every command
// has the same form. Main thread.
import type { Command } from "commander";
import type { CommandTable } from "./command-file.js";
import { formatItem } from "./flags.js";

/** Adds a command to the program and returns it. */
export async function loadCommand(
  program: Command,
  all: CommandTable,
  name: string,
): Promise<Command> {
  const entry = all[name];
  if (entry === undefined) throw new TypeError(`there is no command ${name}`);
  (await entry.load()).register(program, all);
  const command = program.commands.at(-1);
  if (command === undefined) throw new TypeError(`${name} has added no command`);
  return command
    .description(entry.summary)
    .helpOption("-h, --help", "show this help")
    .configureHelp({ ...command.configureHelp(), formatItem });
}
