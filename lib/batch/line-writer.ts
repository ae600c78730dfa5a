// Appends lines to a file in groups, so that a line is no write of its own. Runs on the JavaScript
// thread; writes on libuv's pool.
import type { AtomicFile } from "../base/files/writer.js";
import { writeAll } from "../base/files/writer.js";

/** Lines of one write. Unit: UTF-16 code units. */
const GROUP_LENGTH = 1024 * 1024;

/** Writes lines from the beginning of a file. The last ones are in it after {@link flush}. */
export class LineWriter {
  readonly #file: AtomicFile;
  #at = 0;
  #text = "";

  constructor(file: AtomicFile) {
    this.#file = file;
  }

  /** @param line - Without a line break. */
  async add(line: string): Promise<void> {
    this.#text += `${line}\n`;
    if (this.#text.length >= GROUP_LENGTH) await this.flush();
  }

  async flush(): Promise<void> {
    const bytes = Buffer.from(this.#text);
    this.#text = "";
    await writeAll(this.#file.handle, bytes, this.#at);
    this.#at += bytes.length;
  }
}
