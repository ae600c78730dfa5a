// The part of the contract for file locks (native.ts defines [sync]). Types only.

/** A held lock on a file. */
export interface NativeFileLock {
  /** [sync] Releases the lock. Idempotent; the end of the process releases it too. */
  release(): void;
}

/** The addon's functions for file locks. */
export interface NativeLocks {
  /**
   * [sync] Locks an existing file exclusively for this open of it, and never waits: returns "busy"
   * when another one holds it, "unsupported" if the file system has no locks. Throws IO_FAILED.
   */
  lockFile(path: string): NativeFileLock | "busy" | "unsupported";
}
