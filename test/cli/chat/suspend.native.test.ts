// `r1-native chat` over Ctrl-Z and `fg`, in an interactive shell on a pseudo-terminal. Uses dist/.
import { describe, expect, it } from "vitest";
import { commandOnTerminal } from "../on-terminal.js";
import { endless, program } from "../program.js";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_Z = "\u001a";
const PASTES_ARE_MARKED = "\u001b[?2004h";
const PASTES_ARE_NOT_MARKED = "\u001b[?2004l";

/** Single quotes keep a word whole in a shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** An interactive shell, and a command line that was typed into it. */
async function inShell(words: readonly string[]) {
  const terminal = commandOnTerminal(["sh", "-i"], { ENV: "" });
  // Not by the environment, from which some shells do not take it.
  terminal.type("PS1='SHELL'': '\n");
  await terminal.until("SHELL: ");
  terminal.type(`${words.map(quoted).join(" ")}\n`);
  return terminal;
}

describe("Ctrl-Z stops a conversation and fg goes on with it", () => {
  it("at the prompt: the line is gone on with, and what was said is remembered", async () => {
    const chat = [process.execPath, program, "chat", "-t", "1", "--temp", "0"];
    const { type, until, ended } = await inShell(chat);
    let at = await until("> ");
    type("What is 12+30?\r");
    at = await until(/42[^]*> /, at);
    type("Now add");
    at = await until("Now add", at);
    // Twice, since a handler that serves once would do for the first time.
    for (const seen of ["first", "second"]) {
      type(CTRL_Z);
      at = await until(PASTES_ARE_NOT_MARKED, at);
      at = await until("SHELL: ", at);
      type(`echo the shell, $((1+1)) for the ${seen} time\n`);
      at = await until(`the shell, 2 for the ${seen} time`, at);
      type("fg\n");
      at = await until(PASTES_ARE_MARKED, at);
      at = await until("> Now add", at);
    }
    type(" 5.\r");
    at = await until(/47[^]*> /, at);
    type(CTRL_D);
    at = await until("SHELL: ", at);
    type("echo ended with $?\n");
    await until("ended with 0", at);
    type("exit\n");
    expect(await ended).toBe(0);
  });

  it("while a reply is written: it goes on, and Ctrl-C then stops it", async () => {
    const chat = [process.execPath, program, "chat", "--temp", "0", ...endless];
    const { type, until, ended } = await inShell(chat);
    let at = await until("> ");
    type("What is 12+30?\r");
    at = await until("Thinking (", at);
    type(CTRL_Z);
    at = await until("SHELL: ", at);
    type("fg\n");
    at = await until(PASTES_ARE_MARKED, at);
    // More of the reply, not only what was on its way.
    at = await until(/[^]{2000}/, at);
    type(CTRL_C);
    at = await until("> ", at);
    type("/reset\r");
    at = await until(/starts again[^]*> /, at);
    type(CTRL_D);
    at = await until("SHELL: ", at);
    type("echo ended with $?\n");
    await until("ended with 0", at);
    type("exit\n");
    expect(await ended).toBe(0);
  });

  it("in the background: a continued program that may not use the terminal waits for fg", async () => {
    const chat = [process.execPath, program, "chat", "-t", "1", "--temp", "0"];
    const { type, until, ended } = await inShell(chat);
    let at = await until("> ");
    type(CTRL_Z);
    at = await until("SHELL: ", at);
    type("bg\n");
    at = await until("SHELL: ", at);
    type("fg\n");
    at = await until("> ", at);
    type("What is 1+1?\r");
    at = await until(/answer[^]*> |2[^]*<\/think>[^]*> /, at);
    type(CTRL_D);
    await until("SHELL: ", at);
    type("exit\n");
    expect(await ended).toBe(0);
  });
});
