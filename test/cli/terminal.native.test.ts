// The program as a person meets it: on a pseudo-terminal, which Python (needed for the build
// anyway) provides.
import { describe, expect, it } from "vitest";
import { onTerminal } from "./on-terminal.js";
import { endless } from "./program.js";

const DIM = "\u001b[2m";
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

describe("on a terminal", () => {
  it("the reasoning is dimmed, the answer is not, and a line of timings follows", async () => {
    const { shown, ended } = onTerminal(["-p", "What is 1+1?", "--temp", "0", "-t", "1"]);
    expect(await ended).toBe(0);
    expect(shown()).toContain(`${DIM}<think>`);
    // eslint-disable-next-line no-control-regex -- terminal codes are what this is about
    const plain = shown().replace(/\u001b\[2m[^]*?\u001b\[22m/g, "");
    expect(plain).not.toContain("think");
    expect(plain).toContain("2");
    expect(plain).toMatch(/prompt \d+ tokens, [\d.]+\/s \| reply \d+ tokens/);
  });

  it("NO_COLOR is obeyed", async () => {
    const { shown, ended } = onTerminal(["-p", "What is 1+1?", "--temp", "0", "-t", "1"], {
      NO_COLOR: "1",
    });
    expect(await ended).toBe(0);
    expect(shown()).not.toContain(DIM);
  });

  it("Ctrl-C ends a reply with 130", async () => {
    const { type, until, ended } = onTerminal(["-p", "hi", ...endless]);
    await until("<think>");
    type(CTRL_C);
    expect(await ended).toBe(130);
  });

  it("a program without a prompt says how to give one", async () => {
    const { shown, ended } = onTerminal(["run"]);
    expect(await ended).toBe(2);
    expect(shown()).toContain("r1-native chat");
  });

  it("without anything it shows its help", async () => {
    const { shown, ended } = onTerminal([]);
    expect(await ended).toBe(0);
    expect(shown()).toContain("Usage: r1-native");
  });

  it("a conversation takes turns, stops a reply on Ctrl-C, goes on, and leaves on Ctrl-D", async () => {
    const { type, shown, until, ended } = onTerminal(["chat", "-t", "1", "--temp", "0"]);
    await until("> ");
    type("What is 12+30?\r");
    await until("42");
    await until(/42[^]*> /);
    type("/system Reply in Chinese.\r");
    await until(/starts again[^]*> /);
    const before = shown().length;
    type("What is 5+5?\r");
    await until("Thinking (", before);
    type(CTRL_C);
    await until(/Thinking \([^]*> /, before);
    type(CTRL_D);
    expect(await ended).toBe(0);
  });
});
