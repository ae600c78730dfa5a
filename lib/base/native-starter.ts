// The part of the addon's contract on child processes (lib/binding/native.ts says what [sync] means), and
// the addon's functions for whoever starts a child. It stands here since base/ starts children, and
// in a file of its own since a child that loads the addon starts none.

/** A program to start. */
export interface NativeProgram {
  /** The executable file's path. */
  file: string;
  /** What it is given, without its own name. */
  arguments: string[];
  /** All variables of its environment, as `NAME=value`. */
  environment: string[];
}

/** A child that was started. The descriptors are the caller's to close. */
export interface NativeChild {
  pid: number;
  /** Descriptor that reads what the child writes to its descriptor 2. */
  errors: number;
  /** Descriptor of a socket whose other end is the child's descriptor 3. */
  link: number;
}

/** How a child ended. */
export interface NativeChildEnd {
  /** Exit code; -1 where a signal ended it. */
  code: number;
  /** The signal's number; 0 where it ended by itself. */
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
   * [sync] The end of a child that `startChild` returned, once; null while it runs. Never waits.
   */
  reapChild(pid: number): NativeChildEnd | null;
}

let starter: NativeProcesses | undefined;

/** Children are started by `native` from now on. */
export function startChildrenBy(native: NativeProcesses): void {
  starter = native;
}

/** What the addon gave; undefined before it is loaded. */
export function nativeStarter(): NativeProcesses | undefined {
  return starter;
}
