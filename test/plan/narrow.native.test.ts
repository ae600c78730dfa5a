// A plan on a terminal: its table fits, as rows of places or, where that is too wide, as columns.
import { describe, expect, it } from "vitest";
import { commandOnTerminal } from "../cli/on-terminal.js";
import { program, tinyModel } from "../cli/program.js";

describe("r1-native plan", () => {
  it.each([60, 80, 140])("fits %i columns, but for the command line to copy", async (columns) => {
    const words = [process.execPath, program, "plan", tinyModel, "--vram", "24,8", "--ram", "64"];
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const { shown, ended } = commandOnTerminal(["sh", "-c", `stty cols ${columns}; ${quoted}`]);
    expect(await ended).toBe(0);
    const lines = shown().split(/\r?\n/);
    expect(lines.filter((line) => line.length > columns && !/^r1-native /.test(line))).toEqual([]);
    expect(shown()).toMatch(
      columns < 100 ? /^place +GPU0 +GPU1 +CPU/m : /^place +memory +weights/m,
    );
  });
});
