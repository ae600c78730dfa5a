// The program's help fits the terminal and names every command.
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../lib/cli/command-files.js";
import { loadCommand } from "../../lib/cli/load-command.js";
import { programHelp } from "../../lib/cli/program-help.js";
import { wrapText } from "../../lib/cli/wrap.js";

/** Lines that users copy into a shell are never broken. */
const isCommandLine = (line: string): boolean =>
  /^\s*(?:r1-native|git|ssh|curl|-d|-p|llama-bench) /.test(line) && !/\S {2,}\S/.test(line);

const tooLong = (text: string, width: number): string[] =>
  text.split("\n").filter((line) => line.length > width && !isCommandLine(line));

describe("the help of the program", () => {
  it.each([40, 60, 80, 140])("fits %i columns", (width) => {
    expect(tooLong(programHelp(COMMANDS, width), width)).toEqual([]);
  });

  it("names every command and what it does", () => {
    const text = programHelp(COMMANDS, 200);
    for (const [name, { summary }] of Object.entries(COMMANDS)) {
      expect(text).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
      expect(text).toContain(summary);
    }
  });
});

describe("the help of a command", () => {
  const shown = async (name: string, width: number): Promise<string> => {
    let text = "";
    const program = new Command("r1-native").exitOverride().configureOutput({
      getOutHelpWidth: () => width,
      writeOut: (piece) => (text += wrapText(piece, width)),
    });
    const command = await loadCommand(program, COMMANDS, name);
    command.outputHelp();
    return text;
  };

  it.each(Object.keys(COMMANDS))("of %s fits 60 and 100 columns and begins alike", async (name) => {
    for (const width of [60, 100]) {
      const text = await shown(name, width);
      expect(tooLong(text, width)).toEqual([]);
      expect(text).toMatch(new RegExp(`^Usage: r1-native ${name}\\b`));
      expect(text).toMatch(/-h, --help\s+show this help/);
    }
  });
});
