// The shape of a command's file; no code.
import type { Command } from "commander";

/** Loads the file of each command, by its words. */
export type CommandTable = Readonly<Record<string, () => Promise<CommandFile>>>;

/** A file of a command. */
export interface CommandFile {
  /** Adds the command to the program; `all` are the program's commands. */
  readonly register: (program: Command, all: CommandTable) => void;
}
