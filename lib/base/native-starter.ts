// Holds the addon's way to start children, for whoever starts one. A file of its own, since a child
// that loads the addon needs nothing of what starts further children.

/** What the addon gives: a start that does not copy the page tables of this process. */
export interface NativeStarter {
  /** Null where Node's own way costs nothing. */
  startChild(program: {
    file: string;
    arguments: string[];
    environment: string[];
  }): { pid: number; errors: number; link: number } | null;
  reapChild(pid: number): { code: number; signal: number } | null;
}

let starter: NativeStarter | undefined;

/** Children are started by `native` from now on. */
export function startChildrenBy(native: NativeStarter): void {
  starter = native;
}

/** What the addon gave; undefined before it is loaded. */
export function nativeStarter(): NativeStarter | undefined {
  return starter;
}
