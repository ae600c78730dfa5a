// The addon's contract for child processes (lib/binding/native.ts defines [sync]), and access to
// these functions for code that starts a child. It is in base/ because base/ starts children, and
// in a separate file because a child that loads the addon starts none.

/** A program to start. */
export interface NativeProgram {
  /** Path of the executable file. */
  file: string;
  /** Its arguments, without its own name. */
  arguments: string[];
  /** All its environment variables, as `NAME=value`. */
  environment: string[];
}

/** A started child. The caller owns the descriptors and closes them. */
export interface NativeChild {
  pid: number;
  /** Descriptor that reads what the child writes to its descriptor 2. */
  errors: number;
  /** Descriptor of a socket whose other end is the child's descriptor 3. */
  link: number;
}

/** How a child ended. */
export interface NativeChildEnd {
  /** Exit code; -1 if a signal ended it. */
  code: number;
  /** Number of the signal; 0 if it ended by itself. */
  signal: number;
}

/** The addon's functions for child processes. */
export interface NativeProcesses {
  /**
   * [sync, about a millisecond] Starts a program without copying this process's page tables, as
   * Node's `spawn` does (0.1 s per GiB in use). Descriptors 0 and 1 of the child are `/dev/null`.
   * Returns null on systems where Node's own way costs nothing. Throws RESOURCE_EXHAUSTED,
   * IO_FAILED.
   */
  startChild(program: NativeProgram): NativeChild | null;
  /**
   * [sync] Returns the end of a child that `startChild` returned, once; null while it runs. Never
   * waits.
   */
  reapChild(pid: number): NativeChildEnd | null;
}

let starter: NativeProcesses | undefined;

/** Uses `native` to start children from now on. */
export function startChildrenBy(native: NativeProcesses): void {
  starter = native;
}

/** Returns the addon's functions; undefined before the addon is loaded. */
export function nativeStarter(): NativeProcesses | undefined {
  return starter;
}
