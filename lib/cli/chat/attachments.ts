// Files that go with the next message, in the form that DeepSeek gives for R1. Main thread.
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { R1Error } from "../../base/errors.js";
import { fileFailure } from "../../base/files/failure.js";

/** Larger files hold more tokens than R1's context. Unit: bytes. */
const LARGEST = 2 ** 20;

interface Attachment {
  readonly name: string;
  readonly text: string;
}

function readTextFile(path: string): string {
  let bytes: Buffer;
  try {
    const facts = statSync(path);
    const { size } = facts;
    // A device or a pipe may have no end.
    if (!facts.isFile() && !facts.isDirectory())
      throw new R1Error("INVALID_ARGUMENT", `${JSON.stringify(path)} is not a regular file.`);
    if (size > LARGEST)
      throw new R1Error(
        "INVALID_ARGUMENT",
        `${JSON.stringify(path)} has ${size} bytes: at most ${LARGEST} can go with a message.`,
      );
    bytes = readFileSync(path);
  } catch (error) {
    throw fileFailure(error, path, "read");
  }
  const text = bytes.toString("utf8");
  if (text.includes("\0") || !Buffer.from(text).equals(bytes))
    throw new R1Error(
      "INVALID_ARGUMENT",
      `${JSON.stringify(path)} is not a text file in UTF-8, and R1 reads text only.`,
    );
  return text.replace(/^\ufeff/, "");
}

/** The files that go with the next message. */
export class Attachments {
  #files: Attachment[] = [];

  get count(): number {
    return this.#files.length;
  }

  /**
   * Adds a text file. Returns its number of characters.
   *
   * @throws {R1Error} `INVALID_ARGUMENT` for a file that is too large or not text; `FILE_NOT_FOUND`
   * and others of the system's.
   */
  add(path: string): number {
    const text = readTextFile(path);
    this.#files.push({ name: basename(path), text });
    return text.length;
  }

  clear(): void {
    this.#files = [];
  }

  /**
   * Puts the files in front of a message. The form is that of DeepSeek-R1's own file upload (see
   * "Official Prompts" in the README of the release).
   */
  with(message: string): string {
    const blocks = this.#files.map(
      ({ name, text }) =>
        `[file name]: ${name}\n[file content begin]\n${text}\n[file content end]\n`,
    );
    this.#files = [];
    return blocks.join("") + message;
  }
}
