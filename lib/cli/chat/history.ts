// The lines that users typed into earlier conversations, in a file that only they can read. Main
// thread.
import { appendFileSync, chmodSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { writeAll, writeFileAtomically } from "../../base/files/writer.js";

/** Lines that are kept. */
const LIMIT = 1000;
/** The file may grow to this many lines before the oldest are dropped. */
const ROOM = 2 * LIMIT;

/** The default path of the history: in the folder for state that XDG or Windows names. */
export function historyPath(env: NodeJS.ProcessEnv = process.env): string {
  const name = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_STATE_HOME";
  const state = env[name] ?? "";
  const folder = isAbsolute(state) ? state : join(homedir(), ".local", "state");
  return join(folder, "r1-native", "chat-history");
}

/**
 * A history file. It is a convenience: a file that cannot be read or written ends the history, and
 * nothing else.
 */
export class ChatHistory {
  /** Lines of earlier conversations, the newest first, as Node's line editor wants them. */
  readonly earlier: readonly string[];
  readonly #path: string | undefined;
  #last = "";

  private constructor(path: string | undefined, earlier: readonly string[]) {
    this.#path = path;
    this.earlier = earlier;
  }

  /** A history that is forgotten at the end. */
  static readonly none = new ChatHistory(undefined, []);

  /** Reads a history, and creates its file if there is none. */
  static async open(path: string): Promise<ChatHistory> {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      appendFileSync(path, "", { mode: 0o600 });
      chmodSync(path, 0o600);
      const lines = readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "");
      const kept = lines.slice(-LIMIT);
      if (lines.length > ROOM)
        await writeFileAtomically(path, { force: true, isPrivate: true }, async ({ handle }) => {
          await writeAll(handle, Buffer.from(kept.map((line) => `${line}\n`).join("")), 0);
        });
      return new ChatHistory(path, kept.reverse());
    } catch {
      return ChatHistory.none;
    }
  }

  /** Adds a line that was typed. */
  add(line: string): void {
    if (this.#path === undefined || line.trim() === "" || line === this.#last) return;
    this.#last = line;
    try {
      appendFileSync(this.#path, `${line}\n`, { mode: 0o600 });
    } catch {
      // The conversation matters more than its history.
    }
  }
}
