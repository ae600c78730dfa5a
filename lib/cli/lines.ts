// Reads what a person types, one turn at a time, or the lines of a pipe; main thread.
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { Writable } from "node:stream";
import type { Readable } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";

/** Asks for a turn; undefined: the input has ended. */
export interface LineSource {
  /**
   * @param onInterrupt - Called when Ctrl-C comes while a line is being typed; the line is dropped
   * and asked for again, with the prompt that it returns.
   */
  next(prompt: string, onInterrupt: () => string): Promise<string | undefined>;
  /** Ends the input now, as its end does. */
  stop(): void;
  close(): void;
}

/**
 * Where the line editor writes: the terminal while a line is asked for, nowhere while a reply is
 * written there.
 */
class Screen extends Writable {
  isMuted = true;
  readonly #terminal: WriteStream;

  constructor(terminal: WriteStream) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
    terminal.on("resize", this.#onResize);
  }

  get columns(): number {
    return this.#terminal.columns;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.isMuted) this.#terminal.write(chunk);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#terminal.off("resize", this.#onResize);
    done(error);
  }

  readonly #onResize = (): void => void this.emit("resize");
}

/** Terminal codes that make it mark pasted text, so that a paste of several lines is one turn. */
const MARK_PASTES = "\u001b[?2004h";
const MARK_NO_PASTES = "\u001b[?2004l";

/** Node's line editor, with what it knows of the screen. */
type Editor = Interface & {
  /** The row of the cursor in a line that is wrapped. */
  prevRows: number;
};

function editor(input: ReadStream, output: Writable): Editor {
  const reader = createInterface({ input, output, terminal: true, historySize: 200 });
  // Where this is false the editor puts what is typed at the end of the line, wherever the cursor
  // is; it makes it so when several characters come at once.
  Object.defineProperty(reader, "isCompletionEnabled", {
    get: () => reader.cursor < reader.line.length,
    set: () => undefined,
  });
  return Object.assign(reader, { prevRows: 0 });
}

/**
 * A terminal with line editing and history. What is typed ahead while a reply is written is not
 * lost: it is shown when the reply is over.
 */
export class TerminalLines implements LineSource {
  readonly #input: ReadStream;
  readonly #terminal: WriteStream;
  readonly #screen: Screen;
  readonly #reader: Editor;
  /** Lines that came while none was asked for. */
  readonly #ahead: string[] = [];
  /** Lines of a paste whose last line is still being edited. */
  #pasted: string[] = [];
  #isPasting = false;
  #isOver = false;
  #asked: { resolve: (line: string | undefined) => void; onInterrupt: () => string } | undefined;

  constructor(input: ReadStream, terminal: WriteStream) {
    this.#input = input;
    this.#terminal = terminal;
    this.#screen = new Screen(terminal);
    this.#reader = editor(input, this.#screen);
    input.on("keypress", (_text, key: { name?: string } | undefined) => {
      if (key?.name === "paste-start") this.#isPasting = true;
      else if (key?.name === "paste-end") this.#isPasting = false;
    });
    input.on("data", this.#noteRows);
    this.#reader.on("line", (line) => this.#take(line));
    this.#reader.on("SIGINT", () => this.#interrupt());
    this.#reader.on("SIGTSTP", () => this.#suspend());
    process.on("SIGCONT", this.#onContinue);
    // The terminal was closed. The editor passes on errors of its input, and of closing itself.
    this.#reader.on("error", () => this.stop());
    this.#reader.on("close", () => {
      this.#isOver = true;
      this.#answer(undefined);
    });
    terminal.write(MARK_PASTES);
  }

  next(prompt: string, onInterrupt: () => string): Promise<string | undefined> {
    const ahead = this.#ahead.shift();
    if (ahead !== undefined) {
      this.#terminal.write(`${prompt}${ahead}\n`);
      return Promise.resolve(ahead);
    }
    if (this.#isOver) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#asked = { resolve, onInterrupt };
      this.#screen.isMuted = false;
      this.#reader.setPrompt(prompt);
      this.#showLine();
    });
  }

  stop(): void {
    this.#isOver = true;
    this.#answer(undefined);
  }

  close(): void {
    process.off("SIGCONT", this.#onContinue);
    this.#input.off("data", this.#noteRows);
    this.#reader.close();
    this.#screen.destroy();
    this.#terminal.write(MARK_NO_PASTES);
  }

  #take(line: string): void {
    if (this.#isPasting) {
      this.#pasted.push(line);
      return;
    }
    const turn = [...this.#pasted, line].join("\n");
    this.#pasted = [];
    if (this.#asked === undefined) this.#ahead.push(turn);
    else this.#answer(turn);
  }

  #answer(line: string | undefined): void {
    const asked = this.#asked;
    this.#asked = undefined;
    this.#screen.isMuted = true;
    asked?.resolve(line);
  }

  /**
   * The editor takes Ctrl-Z as a key. As the terminal itself would do it, the signal goes to all
   * processes of the job, so that a shell which waits for npx gets the terminal back.
   */
  #suspend(): void {
    this.#terminal.write(MARK_NO_PASTES);
    this.#input.setRawMode(false);
    process.kill(0, "SIGTSTP");
  }

  /**
   * The program goes on (`fg`). The shell has changed the terminal's mode meanwhile, and may have
   * changed its size. Left alone, Node's editor would stop reading, and with that the program ends.
   */
  readonly #onContinue = (): void => {
    if (this.#isOver) return;
    try {
      this.#input.setRawMode(true);
    } catch {
      // SIGCONT comes with SIGHUP too: the terminal is gone.
      this.stop();
      return;
    }
    this.#terminal.write(MARK_PASTES);
    process.kill(process.pid, "SIGWINCH");
    // Raw mode takes effect for reads that begin after it was set.
    this.#reader.pause();
    this.#reader.resume();
    if (this.#asked !== undefined) this.#showLine();
  };

  /** Shows prompt and line where the terminal's cursor is, below what others have written. */
  #showLine(): void {
    this.#reader.prevRows = 0;
    this.#reader.prompt(true);
  }

  /**
   * Node's editor forgets in which row of a wrapped line the cursor is when several characters come
   * at once: it then draws the line a second time below the first.
   */
  readonly #noteRows = (): void => {
    if (this.#asked === undefined) return;
    const { rows, cols } = this.#reader.getCursorPos();
    // After the last column the terminal's cursor goes down only with the next character.
    const isAtEdge = rows > 0 && cols === 0 && this.#reader.cursor === this.#reader.line.length;
    if (isAtEdge && this.#reader.prevRows < rows) {
      this.#reader.prevRows = rows - 1;
      this.#reader.prompt(true);
    } else this.#reader.prevRows = rows;
  };

  /**
   * The editor takes Ctrl-C as a key. Beside a question it means the reply that is being written,
   * whose writer listens for the signal.
   */
  #interrupt(): void {
    if (this.#asked === undefined) {
      process.kill(process.pid, "SIGINT");
      return;
    }
    this.#pasted = [];
    this.#terminal.write("\n");
    this.#reader.setPrompt(this.#asked.onInterrupt());
    this.#reader.write(null, { ctrl: true, name: "e" });
    this.#reader.write(null, { ctrl: true, name: "u" });
    this.#reader.prompt();
  }
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
    stop: () => reader.close(),
    close: () => {
      reader.close();
      // An open pipe would keep the program alive.
      input.destroy();
    },
  };
}

/** What begins and ends a text of several lines. */
const QUOTES = '"""';

/**
 * Reads one turn: lines that end in a backslash are joined with the next one, as in llama.cpp's
 * interactive mode, and a text between two `"""` is one turn.
 */
export async function readTurn(
  lines: LineSource,
  prompt: string,
  onInterrupt: () => void,
): Promise<string | undefined> {
  const turn: string[] = [];
  let isQuoted = false;
  /** Ctrl-C drops the lines so far with the one that is being typed. */
  const drop = (): string => {
    turn.length = 0;
    isQuoted = false;
    onInterrupt();
    return prompt;
  };
  for (;;) {
    const line = await lines.next(turn.length === 0 && !isQuoted ? prompt : "… ", drop);
    if (line === undefined) return turn.length === 0 ? undefined : turn.join("\n");
    const isOpening = turn.length === 0 && !isQuoted && line.startsWith(QUOTES);
    const text = isOpening ? line.slice(QUOTES.length) : line;
    if (isOpening) isQuoted = true;
    const ends = isQuoted ? text.trimEnd().endsWith(QUOTES) : !text.endsWith("\\");
    const kept = isQuoted
      ? ends
        ? text.trimEnd().slice(0, -QUOTES.length)
        : text
      : ends
        ? text
        : text.slice(0, -1);
    // The lines of the quotes themselves are none of the text where nothing else stands in them.
    if (!(isQuoted && (isOpening || ends) && kept === "")) turn.push(kept);
    if (ends) return turn.join("\n");
  }
}
