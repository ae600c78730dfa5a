// Reads what a person types, one turn at a time, or the lines of a pipe; main thread.
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** Asks for a turn; undefined: the input has ended. */
export interface LineSource {
  /** @param onInterrupt - Called when Ctrl-C comes while a line is being typed; the line is dropped and asked for again. */
  next(prompt: string, onInterrupt: () => void): Promise<string | undefined>;
  close(): void;
}

/**
 * A terminal: each turn gets an interface of its own, so that between turns the terminal is in its normal mode and Ctrl-C is a signal again.
 */
export function terminalLines(input: Readable, output: Writable): LineSource {
  let history: string[] = [];
  const ask = (prompt: string, onInterrupt: () => void): Promise<string | undefined> =>
    new Promise((resolve) => {
      const reader = createInterface({ input, output, terminal: true, history, historySize: 200 });
      let line: string | undefined;
      reader.on("history", (lines: string[]) => (history = lines));
      reader.on("SIGINT", () => {
        output.write("\n");
        onInterrupt();
        // Drops what was typed and shows the prompt again.
        reader.write(null, { ctrl: true, name: "e" });
        reader.write(null, { ctrl: true, name: "u" });
        reader.prompt();
      });
      reader.on("line", (text) => {
        line = text;
        reader.close();
      });
      reader.on("close", () => resolve(line));
      reader.setPrompt(prompt);
      reader.prompt();
    });
  return { next: ask, close: () => undefined };
}

/** A pipe: its lines in order, without prompts. */
export function pipeLines(input: Readable): LineSource {
  const reader = createInterface({ input, crlfDelay: Infinity });
  const lines = reader[Symbol.asyncIterator]();
  return {
    next: async () => {
      const line = await lines.next();
      return line.done === true ? undefined : line.value;
    },
    close: () => reader.close(),
  };
}

/** Joins lines that end in a backslash with the next one, as llama.cpp's interactive mode does. */
export async function readTurn(lines: LineSource, prompt: string, onInterrupt: () => void): Promise<string | undefined> {
  const turn: string[] = [];
  for (;;) {
    const line = await lines.next(turn.length === 0 ? prompt : "… ", onInterrupt);
    if (line === undefined) return turn.length === 0 ? undefined : turn.join("\n");
    if (!line.endsWith("\\")) return [...turn, line].join("\n");
    turn.push(line.slice(0, -1));
  }
}
