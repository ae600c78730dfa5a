// The part of the contract for serving devices to other machines. Types only.

/** The configuration of a server of this machine's devices. */
export interface NativeRpcServerConfig {
  /** An IPv4 address of this machine. */
  host: string;
  port: number;
  /** Threads of the CPU device. */
  threads: number;
  /** Names of devices; empty: every GPU, or the CPU if there is none. */
  devices: string[];
  /** An existing folder that caches large tensors for the next load; empty: none. */
  cacheDir: string;
}
