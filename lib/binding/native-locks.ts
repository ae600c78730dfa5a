// The part of the addon's contract on locks of files (native.ts says what [sync] means). Types only.

/** A lock on a file that is held. */
export interface NativeFileLock {
  /** [sync] Frees the lock. Idempotent; the end of the process frees it too. */
  release(): void;
}

/** The addon's functions for locks. */
export interface NativeLocks {
  /**
   * [sync] Locks a file that exists for this open of it alone, and never waits: "busy" when another
   * one holds it, "unsupported" where the file system has no locks. Throws IO_FAILED.
   */
  lockFile(path: string): NativeFileLock | "busy" | "unsupported";
}
