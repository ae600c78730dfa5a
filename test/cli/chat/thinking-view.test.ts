// The window that shows the thinking of a reply, on a terminal that is kept in memory.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ThinkingView } from "../../../lib/cli/chat/thinking-view.js";

/** A screen that knows the sequences which the view uses. */
class Screen {
  rows = 24;
  columns = 40;
  /** Lines of the screen and of what has left it at the top. */
  lines = [""];
  #row = 0;
  #column = 0;

  write(text: string): void {
    // eslint-disable-next-line no-control-regex -- terminal codes are what this is about
    for (const [piece] of text.matchAll(/\u001b\[\d*[AJ]|[^]/gu)) {
      if (piece === "\n") {
        this.#row++;
        this.#column = 0;
        this.lines[this.#row] ??= "";
      } else if (piece === "\r") this.#column = 0;
      else if (piece.endsWith("A") && piece.startsWith("\u001b"))
        this.#row -= parseInt(piece.slice(2));
      else if (piece === "\u001b[J") this.lines.splice(this.#row, Infinity, "");
      else {
        const line = this.lines[this.#row] ?? "";
        this.lines[this.#row] = line.slice(0, this.#column) + piece;
        this.#column += piece.length;
        if (this.#column > this.columns) throw new Error(`the terminal wraps ${line}`);
      }
    }
  }
}

let screen: Screen;
const plain = (text: string): string => text;
beforeEach(() => {
  vi.useFakeTimers();
  screen = new Screen();
  screen.write("above\n");
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the thinking", () => {
  it("is shown by its last lines under a heading, and leaves one line", () => {
    const view = new ThinkingView(screen, plain, "Thinking");
    for (let i = 0; i < 30; i++) {
      view.add(`line ${i}\n`);
      vi.advanceTimersByTime(100);
    }
    expect(screen.lines).toEqual([
      "above",
      "Thinking",
      ...Array.from({ length: 7 }, (_, i) => `line ${i + 23}`),
    ]);
    view.fold("[thought]");
    expect(screen.lines).toEqual(["above", "[thought]", "", ""]);
  });

  it("wraps wide characters and long words before the last column", () => {
    const view = new ThinkingView(screen, plain, "Thinking");
    view.add(`${"你好".repeat(30)} ${"x".repeat(100)}`);
    vi.advanceTimersByTime(100);
    for (const line of screen.lines) expect(line.length).toBeLessThan(40);
    view.fold("[thought]");
    expect(screen.lines).toEqual(["above", "[thought]", "", ""]);
  });

  it("takes no more rows than a small terminal has", () => {
    screen.rows = 5;
    const view = new ThinkingView(screen, plain, "Thinking");
    view.add("a\nb\nc\nd\ne");
    vi.advanceTimersByTime(100);
    expect(screen.lines.length).toBeLessThanOrEqual(3);
    view.fold("[thought]");
    expect(screen.lines).toEqual(["above", "[thought]", "", ""]);
  });

  it("is shown as on 80 columns by a terminal that does not know its size", () => {
    const unsized = Object.assign(new Screen(), { columns: 0, rows: 0 });
    const shown: string[] = [];
    unsized.write = (text) => void shown.push(text);
    new ThinkingView(unsized, plain, "Thinking").fold("[thought]");
    expect(shown[0]).toMatch(/^Thinking\n?$/);
  });

  it("draws nothing after it was folded, and no control character of the model", () => {
    const view = new ThinkingView(screen, plain, "Thinking");
    view.add("\u001b[2J\u0007");
    vi.advanceTimersByTime(100);
    expect(screen.lines.at(-1)).toBe("␛[2J␇");
    view.add("late");
    view.fold("[thought]");
    vi.advanceTimersByTime(1000);
    expect(screen.lines).toEqual(["above", "[thought]", "", ""]);
  });
});
