// A file that is being downloaded: bytes under a temporary name, with a note of which are present,
// so that a later download resumes where this one ended. Asynchronous.
import { constants } from "node:fs";
import { mkdir, open, readFile, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile } from "../base/files/replace.js";
import { writeFileAtomically } from "../base/files/writer.js";
import { onDisk } from "./disk.js";
import type { HubFile } from "./listing.js";
import { takeLock } from "./lock.js";
import { countBytes, mergeRanges, prefixLength, readRanges, type Range } from "./ranges.js";

/** Not available on Windows. */
const NO_FOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;
/** Others know the name, so a link placed there by somebody else is never followed. */
const FRESH = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW;
const KEPT = constants.O_RDWR | NO_FOLLOW;

const partialPath = (target: string): string => `${target}.partial`;
const notePath = (target: string): string => `${target}.partial.json`;

/**
 * Reads the ranges of a file that an earlier download left; none if there are none, or if they
 * belong to other content.
 */
async function readNote(target: string, file: HubFile): Promise<Range[]> {
  try {
    const note = JSON.parse(await readFile(notePath(target), "utf8")) as {
      hash?: unknown;
      bytes?: unknown;
      ranges?: unknown;
    };
    if (note.hash !== file.hash.hex || note.bytes !== file.bytes) return [];
    const ranges = readRanges(note.ranges, file.bytes) ?? [];
    // The bytes may have been removed, or truncated by a repair of the disk.
    const { size } = await stat(partialPath(target));
    return ranges.filter(([, end]) => end <= size);
  } catch {
    return [];
  }
}

/** Returns how many bytes of a file an earlier download left. */
export async function bytesLeftBehind(target: string, file: HubFile): Promise<number> {
  return countBytes(await readNote(target, file));
}

/** A file that is being downloaded. End it with `publish`, `keep` or `discard`. */
export class PartialFile {
  readonly target: string;
  readonly handle: FileHandle;
  readonly #file: HubFile;
  readonly #unlock: () => Promise<void>;
  readonly #saveEvery: number;
  readonly #mostAtRisk: number;
  #ranges: Range[];
  /** Bytes that no finished note lists, those that are being written included. */
  #atRisk = 0;
  /** Bytes on disk that no begun note lists. */
  #unsaved = 0;
  readonly #writing = new Set<Promise<void>>();
  #saving: Promise<void> | undefined;
  #failure: Error | undefined;

  private constructor(
    target: string,
    file: HubFile,
    handle: FileHandle,
    ranges: Range[],
    mostAtRisk: number,
    unlock: () => Promise<void>,
  ) {
    this.target = target;
    this.#file = file;
    this.handle = handle;
    this.#ranges = ranges;
    this.#saveEvery = Math.ceil(mostAtRisk / 8);
    this.#mostAtRisk = mostAtRisk;
    this.#unlock = unlock;
  }

  /**
   * Opens what an earlier download left of a file, or creates it.
   *
   * @param target - The path of the complete file.
   * @param mostAtRisk - Number of bytes that a kill may lose; at least what is written at once.
   * @throws {R1Error} `FILE_BUSY`, `NO_SPACE`, `FILE_UNWRITABLE`, `FILE_EXISTS`, `IO_FAILED`.
   */
  static async open(target: string, file: HubFile, mostAtRisk: number): Promise<PartialFile> {
    await onDisk(target, mkdir(dirname(target), { recursive: true }));
    const unlock = await takeLock(`${target}.partial.lock`);
    try {
      const ranges = await readNote(target, file);
      if (ranges.length === 0)
        await Promise.all(
          [partialPath(target), notePath(target)].map((path) => rm(path, { force: true })),
        );
      const handle = await onDisk(
        target,
        open(partialPath(target), ranges.length === 0 ? FRESH : KEPT),
      );
      return new PartialFile(target, file, handle, ranges, mostAtRisk, unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  /** Bytes that are present. */
  get bytes(): number {
    return countBytes(this.#ranges);
  }

  /** Bytes that are present without a gap from the start. */
  get prefix(): number {
    return prefixLength(this.#ranges);
  }

  /** @throws {R1Error} `NO_SPACE`, `IO_FAILED`. */
  async write(bytes: Uint8Array, at: number): Promise<void> {
    for (let wait = this.#room(bytes.length); wait; wait = this.#room(bytes.length)) await wait;
    this.#atRisk += bytes.length;
    const writing = this.#put(bytes, at);
    this.#writing.add(writing);
    try {
      await writing;
    } catch (error) {
      this.#atRisk -= bytes.length;
      throw error;
    } finally {
      this.#writing.delete(writing);
    }
    this.#ranges = mergeRanges([...this.#ranges, [at, at + bytes.length]]);
    this.#unsaved += bytes.length;
    if (this.#unsaved >= this.#saveEvery) this.#startSave();
  }

  /**
   * What must end before so many bytes more may be written: on a slow disk the network waits, so
   * that the loss from a kill stays bounded.
   */
  #room(bytes: number): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#atRisk === 0 || this.#atRisk + bytes <= this.#mostAtRisk) return undefined;
    if (this.#unsaved > 0) this.#startSave();
    // The others' failures are theirs.
    return this.#saving ?? Promise.race(this.#writing).catch(() => undefined);
  }

  async #put(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await onDisk(
        this.target,
        this.handle.write(bytes, done, bytes.length - done, at + done),
      );
      done += bytesWritten;
    }
  }

  #startSave(): void {
    this.#saving ??= this.#save()
      .catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#saving = undefined;
      });
  }

  /** Gives the complete file its name; replaces an existing file. */
  async publish(): Promise<void> {
    try {
      await this.#saving;
      await onDisk(this.target, this.handle.datasync());
      await this.handle.close();
      await onDisk(this.target, replaceFile(partialPath(this.target), this.target));
      await rm(notePath(this.target), { force: true });
    } finally {
      await this.#unlock();
    }
  }

  /**
   * Keeps the received data for a later download. Never throws: it follows a failure that matters
   * more.
   */
  async keep(): Promise<void> {
    await this.#saving;
    if (this.#ranges.length === 0) return this.discard();
    await this.#save().catch(() => undefined);
    await this.handle.close().catch(() => undefined);
    await this.#unlock().catch(() => undefined);
  }

  /** Removes the received data. */
  async discard(): Promise<void> {
    await this.#saving;
    await this.handle.close().catch(() => undefined);
    await Promise.all(
      [partialPath(this.target), notePath(this.target)].map((path) =>
        rm(path, { force: true }).catch(() => undefined),
      ),
    );
    await this.#unlock().catch(() => undefined);
  }

  /** Writes the note: it lists only bytes that survive a power failure. */
  async #save(): Promise<void> {
    const ranges = this.#ranges;
    const bytes = this.#unsaved;
    this.#unsaved = 0;
    await onDisk(this.target, this.handle.datasync());
    const path = notePath(this.target);
    const note = { hash: this.#file.hash.hex, bytes: this.#file.bytes, ranges };
    await writeFileAtomically(path, { force: true }, ({ handle }) =>
      handle.writeFile(JSON.stringify(note)),
    );
    this.#atRisk -= bytes;
  }
}
