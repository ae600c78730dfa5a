// A conversation on a pseudo-terminal: what becomes of the thinking, the keys, the commands that
// need a terminal, and control characters of the model.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { onTerminal, stateFolder } from "../on-terminal.js";
import { tinyModel } from "../program.js";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const UP = "\u001b[A";
const greedy = ["chat", "--temp", "0", "-t", "1"];

const folder = mkdtempSync(join(tmpdir(), "r1-chat-terminal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Thinks until its context is full: the tokens that end the thinking and the reply are banned. */
const thinking = ["-l", "6-inf", "-l", "1-inf", "--loop-guard", "0"];

describe("the thinking", () => {
  it("is folded to a line, which /show reasoning undoes", async () => {
    const { type, until, shown, ended } = onTerminal(greedy);
    let at = await until("> ");
    type("What is 12+30?\r");
    at = await until(/\[thought for [\d.]+ s, \d+ tokens[^]*It's 42\.[^]*> /, at);
    type("/show reasoning\r");
    await until(/Ones: 2\+0=2[^]*> /, at);
    type(CTRL_D);
    expect(await ended, shown()).toBe(0);
  });

  it("stays with --show-reasoning", async () => {
    const { type, until, shown, ended } = onTerminal([...greedy, "--show-reasoning"]);
    const at = await until("> ");
    type("What is 12+30?\r");
    await until(/<think>[^]*<\/think>[^]*42[^]*> /, at);
    expect(shown()).not.toContain("[thought");
    type(CTRL_D);
    expect(await ended, shown()).toBe(0);
  });

  it("ends on Tab, and the answer follows; Ctrl-C stops that, and twice it leaves", async () => {
    const { type, until, shown, ended } = onTerminal([...greedy, ...thinking, "-c", "65536"]);
    let at = await until("> ");
    type("Hi\r");
    at = await until("Thinking (Tab: answer now)", at);
    type("\t");
    at = await until(/\[thought for [^]*tokens/, at);
    type(CTRL_C);
    at = await until(/tokens\/s[^]*> /, at);
    type(CTRL_C);
    await until(/Ctrl-C again[^]*> /, at);
    type(CTRL_C);
    expect(await ended, shown()).toBe(0);
  });
});

describe("a terminal", () => {
  it("gets no control character of the model", async () => {
    const evil = String.raw`root ::= "\x1b]52;c;aGk=\x07" "\x1b[2J" "\x7f" "done"`;
    for (const args of [
      [...greedy, "--grammar", evil],
      ["-p", "Hi", "--temp", "0", "-t", "1", "--grammar", evil],
    ]) {
      const { type, until, shown, ended } = onTerminal(args);
      if (args[0] === "chat") {
        await until("> ");
        type("Hi\r");
      }
      await until("done");
      if (args[0] === "chat") type(CTRL_D);
      expect(await ended).toBe(0);
      expect(shown()).toContain("␛]52;c;aGk=␇␛[2J␡done");
      expect(shown()).not.toContain("\u001b]52");
      expect(shown()).not.toContain("\u001b[2J");
    }
  });

  it("completes commands, and shows lines of an earlier conversation on the arrow keys", async () => {
    const first = onTerminal(greedy);
    let at = await first.until("> ");
    first.type("/sta\t");
    at = await first.until("/stats ", at);
    first.type("\r");
    at = await first.until(/uses 0 of[^]*> /, at);
    first.type(CTRL_D);
    expect(await first.ended).toBe(0);
    expect(readFileSync(join(stateFolder, "r1-native", "chat-history"), "utf8")).toContain(
      "/stats",
    );

    const second = onTerminal(greedy);
    at = await second.until("> ");
    second.type(UP);
    at = await second.until("/stats", at);
    second.type("\r");
    await second.until(/uses 0 of[^]*> /, at);
    second.type(CTRL_D);
    expect(await second.ended).toBe(0);
  });

  it("keeps and shows no lines with --no-history", async () => {
    const state = join(folder, "state");
    const { type, until, ended } = onTerminal([...greedy, "--no-history"], {
      XDG_STATE_HOME: state,
    });
    const at = await until("> ");
    type("/stats\r");
    await until(/uses 0 of[^]*> /, at);
    type(CTRL_D);
    expect(await ended).toBe(0);
    expect(() => readFileSync(join(state, "r1-native", "chat-history"))).toThrow("ENOENT");
  });

  it("/edit sends what the editor saved in place of the last message", async () => {
    const { type, until, shown, ended } = onTerminal(greedy, {
      VISUAL: "",
      EDITOR: "sed -i s/12/40/",
    });
    let at = await until("> ");
    type("What is 12+30?\r");
    at = await until(/It's 42\.[^]*> /, at);
    type("/edit\r");
    at = await until(/What is 40\+30\?[^]*It's 70\.[^]*> /, at);
    type("/show messages\r");
    at = await until(/user: [^]*> /, at);
    expect(shown().slice(shown().lastIndexOf("user: "))).not.toContain("12+30");
    type("/edit\r");
    await until(/nothing is sent[^]*> /, at);
    type(CTRL_D);
    expect(await ended, shown()).toBe(0);
  });

  it("/edit reports an editor that fails", async () => {
    const { type, until, shown, ended } = onTerminal(greedy, { VISUAL: "false" });
    const at = await until("> ");
    type("/edit Hello\r");
    await until(/"false" failed with exit code 1[^]*> /, at);
    type(CTRL_D);
    expect(await ended, shown()).toBe(0);
  });

  it("/copy sends the last answer to the terminal's clipboard", async () => {
    const { type, until, ended } = onTerminal(greedy, { TMUX: "" });
    let at = await until("> ");
    type("/copy\r");
    at = await until(/no answer to copy[^]*> /, at);
    type("What is 12+30?\r");
    at = await until(/It's 42\.[^]*> /, at);
    type("/copy\r");
    await until(`\u001b]52;c;${Buffer.from("It's 42.").toString("base64")}\u0007`, at);
    type(CTRL_D);
    expect(await ended).toBe(0);
  });
});

describe("a conversation", () => {
  it("continues with another model, and with the old one where that cannot be loaded", async () => {
    const { type, until, shown, ended } = onTerminal(greedy);
    let at = await until("> ");
    type("What is 12+30?\r");
    at = await until(/It's 42\.[^]*> /, at);
    type(`/model ${folder}/none.gguf\r`);
    at = await until(/code: FILE_NOT_FOUND[^]*> /, at);
    type(`/model ${tinyModel}\r`);
    at = await until(/tiny-r1\.gguf, [^]*on CPU[^]*> /, at);
    type("Now add 5.\r");
    await until(/It's 47\.[^]*> /, at);
    type(CTRL_D);
    expect(await ended, shown()).toBe(0);
  });

  it("keeps its model when Ctrl-C stops the load of another one", async () => {
    const hub = createServer(() => undefined);
    await new Promise<void>((resolve) => hub.listen(0, "127.0.0.1", resolve));
    const { port } = hub.address() as AddressInfo;
    const { type, until, shown, ended } = onTerminal(greedy, {
      HF_ENDPOINT: `http://127.0.0.1:${port}`,
      HF_HOME: join(folder, "hub"),
    });
    let at = await until("> ");
    const asked = once(hub, "request");
    type("/model hf:owner/name:Q4_K_M\r");
    await asked;
    type(CTRL_C);
    at = await until(/The load was stopped[^]*> /, at);
    type("What is 12+30?\r");
    await until(/It's 42\.[^]*> /, at);
    type(CTRL_D);
    expect(await ended, shown()).toBe(0);
    hub.closeAllConnections();
    hub.close();
  });

  it("takes /think and /file", async () => {
    const file = join(folder, "sum.txt");
    writeFileSync(file, "12+30");
    const { type, until, shown, ended } = onTerminal(greedy);
    let at = await until("> ");
    type("/think off\r");
    at = await until(/reasoning off, [^]*> /, at);
    type("/think 5\r");
    at = await until(/reasoning-budget 5[^]*> /, at);
    type("/think some\r");
    at = await until(/at most so many tokens[^]*> /, at);
    type(`/file ${file}\r`);
    at = await until(/5 characters, goes with the next message[^]*> /, at);
    type("What is it?\r");
    at = await until(/tokens\/s[^]*> /, at);
    type("/show messages\r");
    await until("[file content begin]", at);
    type(CTRL_D);
    expect(await ended, shown()).toBe(0);
  });
});
