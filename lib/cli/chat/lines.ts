// Reads what the user types, line by line, with editing, history and completion. Main thread.
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { Writable } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";

/**
 * Called with what was typed if Ctrl-C arrives while the user types a line. The line is dropped and
 * requested again, with the prompt that the callback returns; undefined ends the input.
 */
export type OnInterrupt = (typed: string) => string | undefined;

/** Reads lines; returns undefined at the end of the input. */
export interface LineSource {
  next(prompt: string, onInterrupt: OnInterrupt): Promise<string | undefined>;
  /** Called if Tab is pressed while no line is being read. */
  onIdleTab: (() => void) | undefined;
  /** Leaves the terminal to another program while `work` runs. */
  away<T>(work: () => T): T;
  /** Ends the input now, as if it had been closed. */
  stop(): void;
  close(): void;
}

/**
 * The line editor's output: the terminal while a line is being read, nowhere while a reply is being
 * written.
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

/**
 * Terminal codes that turn on marks around pasted text, so that a paste of several lines is one
 * turn.
 */
const MARK_PASTES = "\u001b[?2004h";
const MARK_NO_PASTES = "\u001b[?2004l";
/** There are no jobs of a shell that could be stopped and continued. */
const IS_WINDOWS = process.platform === "win32";

/** Node's line editor, with its internal knowledge of the screen. */
type Editor = Interface & {
  /** The row of the cursor in a wrapped line. */
  prevRows: number;
};

/** What a terminal knows of its user. */
export interface LineHelp {
  /** Earlier lines, the newest first. */
  readonly history?: readonly string[];
  /** Called with each line that enters the history. */
  readonly onLine?: (line: string) => void;
  /** What Tab makes of the text before the cursor: as Node's `completer`. */
  readonly complete?: (line: string) => [string[], string];
}

function editor(
  input: ReadStream,
  output: Writable,
  { history = [], complete }: LineHelp,
  isTab: () => boolean,
): Editor {
  const reader = createInterface({
    input,
    output,
    terminal: true,
    historySize: 1000,
    history: [...history],
    removeHistoryDuplicates: true,
    ...(complete === undefined ? {} : { completer: complete }),
  });
  // While this is false, the editor appends typed text to the end of the line, wherever the cursor
  // is, and inserts a Tab instead of completing. The editor sets it to false when several
  // characters arrive at once.
  Object.defineProperty(reader, "isCompletionEnabled", {
    get: () => isTab() || reader.cursor < reader.line.length,
    set: () => undefined,
  });
  return Object.assign(reader, { prevRows: 0 });
}

/**
 * A terminal with line editing and history. Text typed while a reply is being written is kept and
 * shown when the reply is over.
 */
export class TerminalLines implements LineSource {
  readonly #input: ReadStream;
  readonly #terminal: WriteStream;
  readonly #screen: Screen;
  readonly #reader: Editor;
  /** Lines that arrived while none was being read. */
  readonly #ahead: string[] = [];
  /** Lines of a paste whose last line is still being edited. */
  #pasted: string[] = [];
  #isPasting = false;
  #isOver = false;
  #asked: { resolve: (line: string | undefined) => void; onInterrupt: OnInterrupt } | undefined;
  /** The key that is being handled is a Tab, which is not part of a paste. */
  #isTab = false;
  onIdleTab: (() => void) | undefined;

  constructor(input: ReadStream, terminal: WriteStream, help: LineHelp = {}) {
    this.#input = input;
    this.#terminal = terminal;
    this.#screen = new Screen(terminal);
    // Before the editor's own listener.
    input.on("keypress", this.#onKey);
    const { complete } = help;
    const completeAsked = (line: string): [string[], string] =>
      this.#asked === undefined || complete === undefined ? [[], line] : complete(line);
    this.#reader = editor(
      input,
      this.#screen,
      { ...help, complete: completeAsked },
      () => this.#isTab,
    );
    this.#reader.on("history", ([line]) => {
      if (line !== undefined) help.onLine?.(line);
    });
    input.on("data", this.#noteRows);
    this.#reader.on("line", (line) => this.#take(line));
    this.#reader.on("SIGINT", () => this.#interrupt());
    this.#reader.on("SIGTSTP", () => this.#suspend());
    process.on("SIGCONT", this.#onContinue);
    // The terminal was closed. The editor reports errors of its input, including those of closing.
    this.#reader.on("error", () => this.stop());
    this.#reader.on("close", () => {
      this.#isOver = true;
      this.#answer(undefined);
    });
    terminal.write(MARK_PASTES);
  }

  next(prompt: string, onInterrupt: OnInterrupt): Promise<string | undefined> {
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

  away<T>(work: () => T): T {
    this.#terminal.write(MARK_NO_PASTES);
    this.#reader.pause();
    this.#input.setRawMode(false);
    try {
      return work();
    } finally {
      this.#input.setRawMode(true);
      this.#reader.resume();
      this.#terminal.write(MARK_PASTES);
    }
  }

  stop(): void {
    this.#isOver = true;
    this.#answer(undefined);
  }

  close(): void {
    process.off("SIGCONT", this.#onContinue);
    this.#input.off("keypress", this.#onKey);
    this.#input.off("data", this.#noteRows);
    this.#reader.close();
    this.#screen.destroy();
    this.#terminal.write(MARK_NO_PASTES);
  }

  readonly #onKey = (_text: string | undefined, key: { name?: string } | undefined): void => {
    if (key?.name === "paste-start") this.#isPasting = true;
    else if (key?.name === "paste-end") this.#isPasting = false;
    const isTab = key?.name === "tab" && !this.#isPasting;
    this.#isTab = isTab;
    if (isTab && this.#asked === undefined) this.onIdleTab?.();
  };

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
   * The editor treats Ctrl-Z as a key. Like the terminal itself, send the signal to all processes
   * of the job, so that a shell that waits for npx gets the terminal back.
   */
  #suspend(): void {
    if (IS_WINDOWS) return;
    this.#terminal.write(MARK_NO_PASTES);
    this.#input.setRawMode(false);
    process.kill(0, "SIGTSTP");
  }

  /**
   * The program continues (`fg`). The shell has changed the terminal's mode meanwhile, and the size
   * may have changed. Without this, Node's editor would stop reading, and the program would end.
   */
  readonly #onContinue = (): void => {
    if (this.#isOver) return;
    try {
      this.#input.setRawMode(true);
    } catch {
      // SIGCONT also arrives with SIGHUP: the terminal is gone.
      this.stop();
      return;
    }
    this.#terminal.write(MARK_PASTES);
    process.kill(process.pid, "SIGWINCH");
    // Raw mode takes effect for reads that start after it was set.
    this.#reader.pause();
    this.#reader.resume();
    if (this.#asked !== undefined) this.#showLine();
  };

  /** Shows the prompt and the line at the terminal's cursor, below what others have written. */
  #showLine(): void {
    this.#reader.prevRows = 0;
    this.#reader.prompt(true);
  }

  /**
   * Node's editor loses the cursor's row in a wrapped line when several characters arrive at once.
   * It then draws the line a second time below the first.
   */
  readonly #noteRows = (): void => {
    if (this.#asked === undefined) return;
    const { rows, cols } = this.#reader.getCursorPos();
    // After the last column, the terminal's cursor moves down only with the next character.
    const isAtEdge = rows > 0 && cols === 0 && this.#reader.cursor === this.#reader.line.length;
    if (isAtEdge && this.#reader.prevRows < rows) {
      this.#reader.prevRows = rows - 1;
      this.#reader.prompt(true);
    } else this.#reader.prevRows = rows;
  };

  /**
   * The editor treats Ctrl-C as a key. If no line is being read, it refers to the reply that is
   * being written, whose writer listens for the signal.
   */
  #interrupt(): void {
    if (this.#asked === undefined) {
      // At once, while the reply is still being written; and on Windows a signal that a process
      // sends to itself ends it, whoever listens.
      if (!process.emit("SIGINT", "SIGINT")) process.kill(process.pid, "SIGINT");
      return;
    }
    const typed = [...this.#pasted, this.#reader.line].join("\n");
    this.#pasted = [];
    this.#terminal.write("\n");
    const prompt = this.#asked.onInterrupt(typed);
    if (prompt === undefined) {
      this.stop();
      return;
    }
    this.#reader.setPrompt(prompt);
    this.#reader.write(null, { ctrl: true, name: "e" });
    this.#reader.write(null, { ctrl: true, name: "u" });
    this.#reader.prompt();
  }
}
