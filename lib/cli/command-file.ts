// The shapes of the list of commands and of a command's file; no code.
import type { Command } from "commander";

/** The program's commands, by their words. */
export type CommandTable = Readonly<Record<string, CommandEntry>>;

/** A command in the list. */
export interface CommandEntry {
  /** What the command does, in one line. */
  readonly summary: string;
  /** Loads the command's file. */
  readonly load: () => Promise<CommandFile>;
}

/** A file of a command. */
export interface CommandFile {
  /** Adds the command to the program; `all` are the program's commands. */
  readonly register: (program: Command, all: CommandTable) => void;
}
