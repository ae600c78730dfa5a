// The part of the contract that serving devices to other machines crosses with. Types only; no code
// runs here.

/** What a server of this machine's devices is given. */
export interface NativeRpcServerConfig {
  /** An IPv4 address of this machine. */
  host: string;
  port: number;
  /** Threads of the CPU device. */
  threads: number;
  /** Names of devices; empty: every GPU, else the CPU. */
  devices: string[];
  /** An existing folder that keeps large tensors for the next load; empty: none. */
  cacheDir: string;
}
