// The slash commands of `r1-native chat`, saved conversations, and how each way of leaving saves
// them. Uses dist/.
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { onTerminal } from "../on-terminal.js";
import { endless, run, start } from "../program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-chat-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const greedy = ["chat", "--temp", "0", "-t", "1"];

/** Holds a conversation over a pipe; the answers, without their reasoning. */
async function talk(lines: readonly string[], flags: readonly string[] = []) {
  const given = { input: lines.map((line) => `${line}\n`).join("") };
  const { code, stdout, stderr } = await run([...greedy, ...flags], given);
  const answers = stdout
    .split("</think>")
    .slice(1)
    .map((text) => text.split("<think>")[0]?.trim());
  return { code, stdout, stderr, answers };
}

describe("in a conversation", () => {
  it("/regen answers the last message anew, with another seed than the one that was given", async () => {
    const hot = ["/set temp 2", "/set seed 1", "What is 12+30?", "/regen", "/set seed 2", "/regen"];
    const { stdout } = await talk(hot, ["-n", "30"]);
    const replies = stdout.split("<think>").slice(1);
    expect(replies).toHaveLength(3);
    expect(new Set(replies).size).toBeGreaterThan(1);
    const again = await talk(["What is 12+30?", "/regen", "Now add 5."]);
    expect(again.answers).toEqual(["It's 42.", "It's 42.", "It's 47."]);
  });

  it("/undo takes turns back, one by one, and the system prompt stays", async () => {
    const lines = [
      "What is 12+30?",
      "What is 1+1?",
      "/undo",
      "Now add 5.",
      "/undo",
      "/undo",
      "/undo",
    ];
    const { answers, stderr } = await talk(lines, ["-sys", "Be brief."]);
    expect(answers[2]).toBe("It's 47.");
    expect(stderr).toContain('Removed: "What is 1+1?"');
    expect(stderr).toContain('Removed: "Now add 5."');
    expect(stderr).toContain('Removed: "What is 12+30?"');
    expect(stderr).toContain("no message to remove");
  });

  it("/set takes the flags of a reply, and changes nothing where it refuses", async () => {
    const { code, stderr, stdout } = await talk([
      "/set hide-reasoning",
      "/set top-p 3",
      "/set temp hot",
      "/set --n_predict 3",
      "/set",
      "What is 1+1?",
      "/set n-predict default",
      "/set dry-base 2",
      "/set dry-base default",
      "/set temp 1",
      "/set temp default",
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain("/set does not know hide-reasoning");
    expect(stderr).toContain("Expected a number from 0 to 1 for --top-p but received 3.");
    expect(stderr).toContain('Expected a number after --temp but received "hot".');
    expect(stderr).toContain("n-predict 3, temp 0\n");
    // "default" is what the command line gave.
    expect(stderr).toMatch(/temp 0\ntemp 0, dry-base 2\ntemp 0\ntemp 1\ntemp 0\n$/);
    expect(stdout).toMatch(/^<think>\n\S{0,10} *\S{0,10}\n\n$/);
  });

  it("/set shows what is set as it is typed, and adds to flags that may be given often", async () => {
    const { stderr } = await talk([
      "/set temp=0.5",
      "/set stop X",
      "/set --stop Y Z",
      "/set logit-bias 15+1",
      "/set logit-bias 16-inf",
      "/set dry-sequence-breaker .",
      "/set dry-sequence-breaker ,",
      "/set ignore-eos",
      "/set reasoning enabled",
      "/set json-schema true",
    ]);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      'json-schema true, reasoning on, stop "X" "Y Z", ignore-eos on, temp 0.5, ' +
        'dry-sequence-breaker "." ",", logit-bias 15+1 16-inf',
    );
  });

  it("/set turns a switch on and off, and refuses other words and missing values", async () => {
    const { stderr } = await talk([
      "/set ignore-eos false",
      "/set ignore-eos on",
      "/set ignore-eos off",
      "/set ignore-eos banana",
      "/set stop",
      "/set ctx-size 100",
    ]);
    expect(stderr).toMatch(/^temp 0\nignore-eos on, temp 0\ntemp 0\nerror/);
    expect(stderr).toContain(
      'Expected on, off or default after --ignore-eos but received "banana"',
    );
    expect(stderr).toContain("Expected a value, or default, after --stop but received nothing.");
    expect(stderr).toContain(
      "/set does not know ctx-size. It sets the flags of replies, not those",
    );
  });

  it("/set holds answers to a form, and to another one after it", async () => {
    const { answers } = await talk([
      '/set json-schema {"const":"a"}',
      "What is 1+1?",
      '/set grammar root ::= "b"',
      "What is 1+1?",
      "/set json-schema default",
      "What is 1+1?",
    ]);
    expect(answers).toEqual(['"a"', "b", "It's 2."]);
  });

  it("/stats shows the timings of the last reply and how full the context is", async () => {
    const { stderr } = await talk(["/stats", "What is 12+30?", "/stats"]);
    expect(stderr).toContain("uses 0 of 8192 tokens");
    expect(stderr).toMatch(/CPU \| prompt 12 tokens[^]*uses 20 of 8192 tokens/);
  });

  it('""" begins and ends a text of several lines, and a backslash goes on in the next', async () => {
    const asked = ['"""What is', "1+1", '?"""', '"""', "What is 2+2?", '"""', "What is \\", "3+3?"];
    const { answers } = await talk([...asked, "/undo"]);
    expect(answers).toHaveLength(3);
    const { stderr } = await talk([...asked.slice(0, 3), "/undo"]);
    expect(stderr).toContain(String.raw`Removed: "What is\n1+1\n?"`);
  });

  it("a command that fails is reported, and the conversation goes on as it was", async () => {
    const { code, stderr, answers } = await talk([
      "What is 12+30?",
      "/save",
      `/save ${folder}/none/x`,
      `/load ${folder}/none`,
      "/load package.json",
      "Now add 5.",
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain("Which file? /save FILE");
    expect(stderr).toContain(`there is no folder "${folder}/none"`);
    expect(stderr).toContain("code: STATE_INVALID");
    expect(answers).toEqual(["It's 42.", "It's 47."]);
  });
});

describe("a saved conversation", () => {
  it("is gone on with by /load, its computed context included", async () => {
    const file = join(folder, "saved");
    const first = await talk(["What is 12+30?", `/save ${file}`]);
    expect(first.stderr).toContain(`Saved to "${file}"`);
    const second = await talk(["What is 5+5?", `/load ${file}`, "Now add 5.", "/stats"]);
    expect(second.answers[1]).toBe("It's 47.");
    expect(second.stderr).toContain("a conversation of 2 messages, 20 tokens");
    expect(second.stderr).toMatch(/\([1-9]\d* cached\)/);
  });

  it("is begun, gone on with and saved by --session", async () => {
    const flags = ["--session", join(folder, "session")];
    await talk(["What is 12+30?"], flags);
    await talk(["Now add 5.", "/exit"], flags);
    expect((await talk(["Now add 5."], flags)).answers).toEqual(["It's 52."]);
  });

  it("that cannot be written or read is refused before anything is said", async () => {
    for (const [file, code] of [
      [join(folder, "none", "x"), "FILE_NOT_FOUND"],
      ["package.json", "STATE_INVALID"],
      [folder, "FILE_IS_DIRECTORY"],
    ] as const) {
      const { code: exit, stderr, stdout } = await talk(["What is 1+1?"], ["--session", file]);
      expect(exit).toBe(1);
      expect(stderr).toContain(`code: ${code}`);
      expect(stdout).toBe("");
    }
    const both = await talk([], ["--session", "x", "-sys", "y"]);
    expect(both.code).toBe(2);
    expect(both.stderr).toContain("--session and --system-prompt cannot be used together");
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", null],
  ] as const)("is saved when %s comes while nothing is written", async (signal, code) => {
    const file = join(folder, signal);
    const { child, stdout, ended } = start([...greedy, "--session", file]);
    child.stdin.write("What is 12+30?\n");
    await stdout.until("42.\n\n");
    // One that comes while the reply is still being ended has nothing to stop any more.
    const again = setInterval(() => child.kill(signal), 30_000);
    child.kill(signal);
    expect(await ended).toMatchObject({ code, signal: code === null ? signal : null });
    clearInterval(again);
    expect((await talk(["Now add 5."], ["--session", file])).answers).toEqual(["It's 47."]);
  });

  it("is saved when the request to terminate comes while a reply is written", async () => {
    const file = join(folder, "terminated");
    const { child, stdout, ended } = start(["chat", ...endless, "--temp", "0", "--session", file]);
    child.stdin.write("What is 1+1?\n");
    await stdout.until("<think>\n");
    const before = statSync(file).mtimeMs;
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 143, signal: null });
    expect(statSync(file).mtimeMs).toBeGreaterThan(before);
  });

  it("is saved when its terminal is closed", async () => {
    const file = join(folder, "hung up");
    const { type, until, hangUp } = onTerminal([...greedy, "--session", file]);
    await until("> ");
    const before = statSync(file).mtimeMs;
    type("What is 12+30?\r");
    await until(/42\.[^]*> /);
    hangUp();
    await expect.poll(() => statSync(file).mtimeMs, { timeout: 20_000 }).toBeGreaterThan(before);
    expect((await talk(["Now add 5."], ["--session", file])).answers).toEqual(["It's 47."]);
  });
});

describe("on a terminal", () => {
  it("how full the context is stands after each reply, and a message without room is refused", async () => {
    const flags = [...greedy, "-c", "256", "-ub", "32"];
    const { type, until, shown, ended } = onTerminal(flags, { NO_COLOR: "1" });
    let at = await until("> ");
    type("What is 12+30?\r");
    at = await until(/\n91\/256 tokens of context, [\d.]+ tokens\/s\r\n\r\n[^]*> /, at);
    type(`${"word ".repeat(300)}\r`);
    at = await until(/code: PROMPT_TOO_LONG[^]*> /, at);
    type("Now add 5.\r");
    await until(/47[^]*> /, at);
    type("\u0004");
    expect(await ended, shown()).toBe(0);
    expect(existsSync(join(folder, "none"))).toBe(false);
  });

  it("Ctrl-C in the middle of several lines drops them all", async () => {
    const { type, until, shown, ended } = onTerminal(greedy);
    let at = await until("> ");
    type('"""dropped\r');
    at = await until("… ", at);
    type("\u0003");
    at = await until(/\r\n[^]*> /, at);
    type("What is 12+30?\r");
    at = await until(/42[^]*> /, at);
    type("/undo\r");
    await until('Removed: "What is 12+30?"', at);
    type("\u0004");
    expect(await ended, shown()).toBe(0);
  });
});
