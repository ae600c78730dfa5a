// The part of the contract for saving and restoring sessions. Types only.

/** The source of a saved session. */
export interface NativeSessionSave {
  /** A hold from `holdCells`; 0: no cells. */
  hold: number;
  /** All bytes up to the length of the cells (lib/model/saved-session.ts). */
  front: Uint8Array;
  /** Key for a seal with HMAC-SHA-256; null: SHA-256. */
  key: Uint8Array | null;
  /** Descriptor of a file that is open for writing, which is written from its start; -1: memory. */
  file: number;
}

/** The place a saved session is read from. */
export interface NativeSessionSource {
  /** Descriptor of an open file; -1: a block. */
  readonly file: number;
  /** A block of `keepBytes`; ignored for a file. */
  readonly block: number;
}

/** A saved session that was read completely and found intact. */
export interface NativeOpenedSession {
  /** For `restoreSession` and `closeSession`. */
  saved: number;
  /** JSON, not checked yet. */
  head: string;
  /** Ids of the tokens in its cells; empty: it has no cells. */
  tokens: Int32Array;
  /** Why its cells cannot be restored here, as a sentence; empty: they can. */
  problem: string;
}

/** Sessions of one engine. Numbers of holds and of opened sessions are specific to the engine. */
export interface NativeSessions {
  /**
   * [async] Holds the idle cells that begin with `tokens` and that `session` may use, before any
   * request that is submitted after this call; requests do without them until `releaseCells`.
   * Rejects with STATE_INVALID when no sequence holds them. `session` is 0 for none.
   */
  holdCells(tokens: Int32Array, session: number): Promise<number>;
  /** [sync] Unknown numbers are ignored. */
  releaseCells(hold: number): void;
  /**
   * [async, its own thread] Writes a session piece by piece; running streams wait for it at most a
   * few milliseconds per step. Resolves with its bytes, or null when they were written to a file;
   * leave the file open until then. Rejects with STATE_INVALID when running streams needed the held
   * cells, NO_SPACE, IO_FAILED, DISPOSED.
   */
  saveSession(save: NativeSessionSave): Promise<Uint8Array | null>;
  /** [sync] Allocates a block of native memory for the bytes of a session; throws OUT_OF_MEMORY. */
  keepBytes(size: number): number;
  /** [sync] Copies `piece` into a block. */
  putBytes(block: number, at: number, piece: Uint8Array): void;
  /** [sync] Frees a block that was not opened; unknown numbers are ignored. */
  dropBytes(block: number): void;
  /**
   * [async, its own thread] Reads a session and checks its seal, its structure and every value of
   * its cells. Leave a file open until `closeSession`; the session owns a block from now on.
   * Rejects with STATE_INVALID, STATE_MISMATCH (another format), IO_FAILED.
   */
  openSession(source: NativeSessionSource, key: Uint8Array | null): Promise<NativeOpenedSession>;
  /**
   * [async, its own thread] Restores the cells of an opened session into an idle sequence. Only
   * requests with this `session` can use them, and what is computed from them. Rejects with
   * QUEUE_FULL, CONTEXT_FULL, STATE_INVALID (the file has changed), IO_FAILED, DISPOSED; then
   * nothing remains.
   */
  restoreSession(saved: number, session: number): Promise<void>;
  /** [sync] Unknown numbers are ignored. */
  closeSession(saved: number): void;
  /** [sync] Drops the idle cells of a session. */
  forgetSession(session: number): void;
}
