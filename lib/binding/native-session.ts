// The part of the contract that saves sessions and restores them. Types only; no code runs here.

/** What a saved session is written from. */
export interface NativeSessionSave {
  /** A hold of `holdCells`; 0: no cells. */
  hold: number;
  /** All bytes up to the length of the cells (lib/model/saved-session.ts). */
  front: Uint8Array;
  /** Seals with HMAC-SHA-256; null: with SHA-256. */
  key: Uint8Array | null;
  /** Descriptor of a file that is open for writing, which is written from its start; -1: memory. */
  file: number;
}

/** Where a saved session is read from. */
export interface NativeSessionSource {
  /** Descriptor of an open file; -1: a block. */
  readonly file: number;
  /** A block of `keepBytes`; not looked at for a file. */
  readonly block: number;
}

/** A saved session that was read from its first to its last byte and found whole. */
export interface NativeOpenedSession {
  /** For `restoreSession` and `closeSession`. */
  saved: number;
  /** JSON; nothing in it has been checked. */
  head: string;
  /** Ids that its cells hold; empty: it brings no cells. */
  tokens: Int32Array;
  /** Why its cells cannot be restored here, as a sentence; empty: they can. */
  problem: string;
}

/** Sessions of one engine. Numbers of holds and of opened sessions are the engine's own. */
export interface NativeSessions {
  /**
   * [async] Holds the idle cells that begin with `tokens` and that `session` may use, before any
   * request that is submitted after this call; requests get around them until `releaseCells`.
   * Rejects with STATE_INVALID when no sequence holds them. `session` is 0 for none.
   */
  holdCells(tokens: Int32Array, session: number): Promise<number>;
  /** [sync] Unknown numbers are ignored. */
  releaseCells(hold: number): void;
  /**
   * [async, its own thread] Writes a session piece by piece; streams that run wait a few
   * milliseconds a step for it at most. Resolves with its bytes, or null when they went to a file;
   * leave the file open until then. Rejects with STATE_INVALID when running streams needed the held
   * cells, NO_SPACE, IO_FAILED, DISPOSED.
   */
  saveSession(save: NativeSessionSave): Promise<Uint8Array | null>;
  /** [sync] A block of native memory for the bytes of a session; throws OUT_OF_MEMORY. */
  keepBytes(size: number): number;
  /** [sync] Copies `piece` into a block. */
  putBytes(block: number, at: number, piece: Uint8Array): void;
  /** [sync] Frees a block that was not opened; unknown numbers are ignored. */
  dropBytes(block: number): void;
  /**
   * [async, its own thread] Reads a session and checks its seal, its structure and every value of
   * its cells. Leave a file open until `closeSession`; a block belongs to the session from here on.
   * Rejects with STATE_INVALID, STATE_MISMATCH (another format), IO_FAILED.
   */
  openSession(source: NativeSessionSource, key: Uint8Array | null): Promise<NativeOpenedSession>;
  /**
   * [async, its own thread] Puts the cells of an opened session into an idle sequence. Only
   * requests with this `session` can use them, and what is computed from them. Rejects with
   * QUEUE_FULL, CONTEXT_FULL, STATE_INVALID (the file has changed), IO_FAILED, DISPOSED; nothing is
   * left then.
   */
  restoreSession(saved: number, session: number): Promise<void>;
  /** [sync] Unknown numbers are ignored. */
  closeSession(saved: number): void;
  /** [sync] Drops idle cells that are kept for a session. */
  forgetSession(session: number): void;
}
