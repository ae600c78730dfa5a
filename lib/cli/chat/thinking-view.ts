// Shows the model's thinking in a window of a few lines while it lasts, and folds it to one line
// when it ends. Main thread.
import wrapAnsi from "wrap-ansi";
import { safeText } from "../safe-text.js";

/** The window grows to this many lines. */
const MOST_LINES = 8;
/** Lines of the screen that the window leaves to what stands above it. */
const LEFT_ABOVE = 4;
/** The end of the thinking that can be visible. Unit: UTF-16 units. */
const TAIL = 4096;
/** Shortest time between two drawings. Unit: milliseconds. */
const INTERVAL_MS = 50;
/** Erases everything from the cursor to the end of the screen. */
const ERASE_BELOW = "\u001b[J";

/** What a view writes to. */
export interface ViewTerminal {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** The thinking of one reply. */
export class ThinkingView {
  readonly #terminal: ViewTerminal;
  readonly #dim: (text: string) => string;
  readonly #heading: string;
  #tail = "";
  /** Rows of the screen that the window takes, from its first to the cursor's. */
  #rows = 0;
  #drawnAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param heading - Stands above the thinking while it lasts. */
  constructor(terminal: ViewTerminal, dim: (text: string) => string, heading: string) {
    this.#terminal = terminal;
    this.#dim = dim;
    this.#heading = heading;
    this.#draw();
  }

  /** Adds a piece of the thinking. */
  add(text: string): void {
    this.#tail = (this.#tail + safeText(text)).slice(-TAIL);
    if (this.#timer !== undefined) return;
    const wait = this.#drawnAt + INTERVAL_MS - Date.now();
    if (wait <= 0) this.#draw();
    else
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#draw();
      }, wait);
  }

  /** Replaces the window by one line. */
  fold(summary: string): void {
    clearTimeout(this.#timer);
    this.#terminal.write(`${this.#eraser()}${this.#dim(summary)}\n\n`);
    this.#rows = 0;
  }

  #draw(): void {
    // A terminal that does not know its size reports 0.
    const columns = this.#terminal.columns || 80;
    const rows = this.#terminal.rows || 24;
    // One column is left free: after the last one, the place of the cursor differs by terminal.
    const width = Math.max(1, columns - 1);
    const room = Math.max(1, Math.min(MOST_LINES, rows - LEFT_ABOVE) - 1);
    const wrap = (text: string): string[] =>
      wrapAnsi(text.replaceAll("\t", "  "), width, { hard: true, trim: false }).split("\n");
    const [heading = ""] = wrap(this.#heading);
    const thinking = wrap(this.#tail.trim()).slice(-room);
    const lines = [heading, ...thinking].map((line) => this.#dim(line));
    this.#terminal.write(this.#eraser() + lines.join("\n"));
    this.#rows = lines.length;
    this.#drawnAt = Date.now();
  }

  #eraser(): string {
    const up = this.#rows > 1 ? `\u001b[${this.#rows - 1}A` : "";
    return this.#rows === 0 ? "" : `\r${up}${ERASE_BELOW}`;
  }
}
