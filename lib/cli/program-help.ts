// The help of the program as a whole: its commands and what each does. Pure; loads no command.
import type { CommandTable } from "./command-file.js";
import { helpItem, wrapText } from "./wrap.js";

const OPTIONS: readonly (readonly [string, string])[] = [
  ["--version", "show the versions of r1-native and llama.cpp; with --json as JSON"],
  ["-h, --help", "show this help; after a command, the help of that command"],
];

const EXAMPLES = `The command run is the default:
    r1-native "What is 1+1?"
    r1-native -m model.gguf -p "What is 1+1?"
r1-native <command> --help lists the flags of a command.`;

/**
 * Returns the help of the program.
 *
 * @param width - Columns of the terminal.
 */
export function programHelp(all: CommandTable, width: number): string {
  const item = ([term, text]: readonly [string, string]): string => helpItem(term, text, width);
  const commands = Object.entries(all).map(([name, { summary }]) => item([name, summary]));
  const wrap = (text: string): string => wrapText(text, width);
  return [
    wrap("Usage: r1-native [options] [command]"),
    wrap("Run DeepSeek-R1 on this machine, streamed as reasoning and answer"),
    ["Options:", ...OPTIONS.map(item)].join("\n"),
    ["Commands:", ...commands].join("\n"),
    wrap(EXAMPLES),
    "",
  ]
    .join("\n\n")
    .replace(/\n\n$/, "\n");
}
