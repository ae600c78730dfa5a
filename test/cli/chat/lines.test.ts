// What a person types into a conversation: editing, pastes, typing ahead, Ctrl-C; on streams that
// stand for a terminal.
import { PassThrough } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TerminalLines } from "../../../lib/cli/chat/lines.js";
import { pipeLines, readTurn } from "../../../lib/cli/chat/turns.js";

const PASTE = { start: "\u001b[200~", end: "\u001b[201~" };
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

describe("a terminal", () => {
  let keys: PassThrough;
  let screen: PassThrough;
  let lines: TerminalLines;
  let shown: string;
  beforeEach(() => {
    keys = new PassThrough();
    screen = new PassThrough();
    shown = "";
    screen.setEncoding("utf8").on("data", (text: string) => (shown += text));
    lines = new TerminalLines(keys as unknown as ReadStream, screen as unknown as WriteStream);
  });
  afterEach(() => lines.close());

  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  const ask = (): Promise<string | undefined> => readTurn(lines, "> ", () => undefined);

  it("gives a line, edited", async () => {
    const turn = ask();
    keys.write("helloo\u007f you\r");
    expect(await turn).toBe("hello you");
    await settle();
    expect(shown).toContain("> ");
  });

  it("puts several characters that come at once where the cursor is", async () => {
    const turn = ask();
    keys.write("world");
    await settle();
    keys.write("\u0001");
    await settle();
    keys.write("hello 你好 ");
    await settle();
    keys.write("\r");
    expect(await turn).toBe("hello 你好 world");
  });

  it.each([
    ["narrow characters", "0123456789".repeat(3), 3],
    ["wide characters", "你好世界".repeat(4), 4],
    ["a line that fills its row", "0123456789ab34567890", 3],
  ])("redraws a wrapped line over itself: %s", async (_what, text, rows) => {
    Object.assign(screen, { columns: 11 });
    const turn = ask();
    keys.write(text);
    await settle();
    const before = shown.length;
    keys.write("\u007f");
    await settle();
    // ToParent to the first row of the line, then all of it anew.
    expect(shown.slice(before)).toMatch(
      new RegExp(`^\\u001b\\[${rows - 1}A\\u001b\\[1G\\u001b\\[0J> `, "u"),
    );
    keys.write("\r");
    expect(await turn).toBe(text.slice(0, -1));
  });

  it("gives a paste of several lines as one turn, once Enter is pressed", async () => {
    const turn = ask();
    keys.write(`${PASTE.start}one\rtwo\rthree${PASTE.end}`);
    await settle();
    keys.write(" and four\r");
    expect(await turn).toBe("one\ntwo\nthree and four");
  });

  it("goes on after a backslash", async () => {
    const turn = ask();
    keys.write("one\\\r");
    await settle();
    keys.write("two\r");
    expect(await turn).toBe("one\ntwo");
  });

  it("keeps what is typed while nothing is asked, shows none of it then, and all of it later", async () => {
    const first = ask();
    keys.write("first\r");
    expect(await first).toBe("first");
    await settle();
    const before = shown;
    keys.write("second\rthi");
    await settle();
    expect(shown).toBe(before);
    expect(await ask()).toBe("second");
    await settle();
    expect(shown).toContain("> second\n");
    const third = ask();
    await settle();
    expect(shown.endsWith("thi") || shown.includes("> thi")).toBe(true);
    keys.write("rd\r");
    expect(await third).toBe("third");
  });

  it("drops the line on Ctrl-C and asks again", async () => {
    let interrupts = 0;
    const turn = readTurn(lines, "> ", () => interrupts++);
    keys.write("wrong");
    await settle();
    keys.write(CTRL_C);
    await settle();
    keys.write("right\r");
    expect(await turn).toBe("right");
    // The next Ctrl-C would not leave.
    expect(interrupts).toBe(0);
  });

  it("ends the input on a second Ctrl-C, unless something was typed in between", async () => {
    let interrupts = 0;
    const turn = readTurn(lines, "> ", () => interrupts++);
    for (const text of [CTRL_C, "typed", CTRL_C, CTRL_C, CTRL_C]) {
      await settle();
      keys.write(text);
    }
    expect(await turn).toBeUndefined();
    expect(interrupts).toBe(2);
  });

  it("takes Tab for a key of its own while nothing is asked, and keeps it out of the line", async () => {
    const onIdleTab = vi.fn();
    lines.onIdleTab = onIdleTab;
    keys.write("\t");
    keys.write("typed ahead\r");
    await settle();
    expect(onIdleTab).toHaveBeenCalledTimes(1);
    expect(await ask()).toBe("typed ahead");
  });

  it("sends the process its signal on Ctrl-C while nothing is asked", async () => {
    const kill = vi.spyOn(process, "kill").mockReturnValue(true);
    keys.write(CTRL_C);
    await settle();
    expect(kill).toHaveBeenCalledWith(process.pid, "SIGINT");
    kill.mockRestore();
  });

  it("ends on Ctrl-D, now and for good", async () => {
    const turn = ask();
    keys.write(CTRL_D);
    expect(await turn).toBeUndefined();
    expect(await ask()).toBeUndefined();
  });
});

describe("a pipe", () => {
  it("gives its lines in order, the last one also without a line break, then ends", async () => {
    const input = new PassThrough();
    const lines = pipeLines(input);
    input.end("one\r\ntwo\\\nthree\nfour");
    const turns: (string | undefined)[] = [];
    for (let i = 0; i < 4; i++) turns.push(await readTurn(lines, "> ", () => undefined));
    expect(turns).toEqual(["one", "two\nthree", "four", undefined]);
    lines.close();
  });
});
