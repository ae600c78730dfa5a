// Hashes a file from its first byte while it is still growing, so that the end of a download does
// not wait for the hash. Works a few milliseconds at a time; reads are asynchronous.
import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { HubFile } from "./listing.js";

/** Bytes hashed at once: about a millisecond. */
const SLICE_BYTES = 1 << 20;

/** Hash of a file that is being downloaded. */
export class GrowingHash {
  readonly #file: FileHandle;
  readonly #hash: Hash;
  readonly #buffer = Buffer.allocUnsafe(SLICE_BYTES);
  #at = 0;
  #target = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, kind: HubFile["hash"]["kind"], bytes: number) {
    this.#file = file;
    this.#hash = createHash(kind === "sha256" ? "sha256" : "sha1");
    // git's hash starts with the length.
    if (kind === "git-sha1") this.#hash.update(`blob ${bytes}\0`);
  }

  /** The file is present up to `end`. */
  follow(end: number, signal: AbortSignal): void {
    if (end <= this.#target) return;
    this.#target = end;
    this.#work = this.#work.then(() => this.#advance(signal));
    // `finish` reports it.
    this.#work.catch(() => undefined);
  }

  /**
   * Returns the hash of the first `bytes` bytes, in hexadecimal digits.
   * @throws What reading throws; the signal's reason.
   */
  async finish(bytes: number, signal: AbortSignal): Promise<string> {
    this.follow(bytes, signal);
    await this.#work;
    return this.#hash.digest("hex");
  }

  /** Waits until no read is running. */
  async settle(): Promise<void> {
    await this.#work.catch(() => undefined);
  }

  async #advance(signal: AbortSignal): Promise<void> {
    while (this.#at < this.#target) {
      signal.throwIfAborted();
      const { bytesRead } = await this.#file.read(
        this.#buffer,
        0,
        Math.min(SLICE_BYTES, this.#target - this.#at),
        this.#at,
      );
      if (bytesRead === 0) throw new Error("the file became shorter while it was read");
      this.#hash.update(this.#buffer.subarray(0, bytesRead));
      this.#at += bytesRead;
    }
  }
}
