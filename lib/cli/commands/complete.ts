// `r1-native complete`: prints a shell's completion script, and answers it. Main thread; loads no
// native code.
import { script, ShellCompDirective } from "@bomb.sh/tab";
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import type { CommandTable } from "../command-file.js";
import { BASH_SCRIPT } from "../completion-bash.js";
import { candidatesFor } from "../completion.js";
import { SHELLS } from "../shells.js";

const HELP = `
To complete r1-native's commands and flags on Tab:
  bash        echo 'source <(r1-native complete bash)' >> ~/.bashrc
  zsh         echo 'source <(r1-native complete zsh)' >> ~/.zshrc
  fish        r1-native complete fish > ~/.config/fish/completions/r1-native.fish
  PowerShell  r1-native complete powershell >> $PROFILE`;

/**
 * Answers the script: one candidate per line with its description, and then what the shell does with
 * them.
 */
async function answer(all: CommandTable, words: readonly string[]): Promise<void> {
  const { words: candidates, hasFiles } = await candidatesFor(all, words);
  // zsh shows a column for descriptions if there is a tab.
  const lines = candidates.map(({ text, description }) =>
    description === "" ? text : `${text}\t${description}`,
  );
  const { ShellCompDirectiveDefault, ShellCompDirectiveNoFileComp } = ShellCompDirective;
  const directive = hasFiles ? ShellCompDirectiveDefault : ShellCompDirectiveNoFileComp;
  process.stdout.write([...lines, `:${directive}`, ""].join("\n"));
}

/** Adds the command to the program. */
export function register(program: Command, all: CommandTable): void {
  program
    .command("complete")
    .argument("[shell]", SHELLS.join(", "))
    .argument("[words...]", "after --: the words of a command line, of which the last is completed")
    .addHelpText("after", HELP)
    .action(async (shell: string | undefined) => {
      // As the script calls it: complete -- WORDS. Commander does not report the "--".
      if (process.argv[3] === "--") await answer(all, process.argv.slice(4));
      else if (shell === "bash") process.stdout.write(`${BASH_SCRIPT}\n`);
      else if (shell !== undefined && SHELLS.includes(shell))
        script(shell, "r1-native", "r1-native");
      else
        throw new R1Error(
          "INVALID_ARGUMENT",
          `Expected one of ${SHELLS.join(", ")} after complete but received ` +
            `${shell === undefined ? "nothing" : JSON.stringify(shell)}.`,
          { details: { option: "shell" } },
        );
    });
}
