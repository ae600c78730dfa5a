// Saved sessions of an engine in either place: files by their path, bytes in pieces. This file
// implements them for an engine in this process, which the child of an isolated model also uses.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import type { NativeOpenedSession, NativeSessions } from "../binding/native-session.js";

/** The source and the destination of a saved session. */
export interface SessionSave {
  /** A hold of {@link EngineSessions.hold}; 0: no cells. */
  readonly hold: number;
  readonly front: Uint8Array;
  readonly key: Uint8Array | null;
  /** An existing ordinary file, whose content is replaced; null: resolve with the bytes. */
  readonly path: string | null;
}

/** The sessions of an engine, in this process or in a child. Errors are those of native code. */
export interface EngineSessions {
  readonly hold: (tokens: Int32Array, session: number) => Promise<number>;
  readonly release: (hold: number) => void;
  readonly save: (save: SessionSave) => Promise<Uint8Array | null>;
  /** `source` is a path or bytes; bytes may be changed once this has settled. */
  readonly open: (
    source: string | Uint8Array,
    key: Uint8Array | null,
  ) => Promise<NativeOpenedSession>;
  readonly restore: (saved: number, session: number) => Promise<void>;
  readonly close: (saved: number) => void;
  readonly forget: (session: number) => void;
}

/** Bytes that are copied in one turn of the event loop. */
const COPY_BYTES = 2 ** 20;

/** Sessions of an engine in this process. */
export class LocalSessions implements EngineSessions {
  readonly #native: NativeSessions;
  /** Files that stay open as long as their sessions. */
  readonly #files = new Map<number, FileHandle>();

  constructor(engine: NativeSessions) {
    this.#native = engine;
  }

  hold(tokens: Int32Array, session: number): Promise<number> {
    return this.#native.holdCells(tokens, session);
  }

  release(hold: number): void {
    this.#native.releaseCells(hold);
  }

  async save({ path, ...save }: SessionSave): Promise<Uint8Array | null> {
    if (path === null) return this.#native.saveSession({ ...save, file: -1 });
    const flags = constants.O_WRONLY | constants.O_NOFOLLOW;
    const file = await open(path, flags).catch((error: unknown) => {
      throw fileFailure(error, path, "written");
    });
    try {
      await this.#native.saveSession({ ...save, file: file.fd });
      await file.sync();
      return null;
    } finally {
      await file.close();
    }
  }

  async open(source: string | Uint8Array, key: Uint8Array | null): Promise<NativeOpenedSession> {
    if (typeof source !== "string") return this.#openBytes(source, key);
    // Without O_NONBLOCK, opening a FIFO would block; native code accepts only ordinary files.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    const file = await open(source, flags).catch((error: unknown) => {
      throw fileFailure(error, source, "read");
    });
    try {
      if ((await file.stat()).isDirectory())
        throw new R1Error("FILE_IS_DIRECTORY", `"${source}" is a directory. Specify a file.`, {
          details: { path: source },
        });
      const opened = await this.#native.openSession({ file: file.fd, block: 0 }, key);
      this.#files.set(opened.saved, file);
      return opened;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Opens a copy that nobody else can change, made over several turns of the event loop. */
  async #openBytes(bytes: Uint8Array, key: Uint8Array | null): Promise<NativeOpenedSession> {
    const { length } = bytes;
    const block = this.#native.keepBytes(length);
    try {
      for (let at = 0; at < length; at += COPY_BYTES) {
        if (at > 0) await nextTurn();
        if (bytes.length !== length)
          refuse("from", "bytes that do not change until the promise settles", bytes);
        this.#native.putBytes(block, at, bytes.subarray(at, at + COPY_BYTES));
      }
      return await this.#native.openSession({ file: -1, block }, key);
    } catch (error) {
      this.#native.dropBytes(block);
      throw error;
    }
  }

  restore(saved: number, session: number): Promise<void> {
    return this.#native.restoreSession(saved, session);
  }

  close(saved: number): void {
    this.#native.closeSession(saved);
    const file = this.#files.get(saved);
    this.#files.delete(saved);
    void file?.close().catch(() => undefined);
  }

  forget(session: number): void {
    this.#native.forgetSession(session);
  }
}
