// The contract's part on devices and backend libraries (see native.ts, which says what [sync] and
// [async] mean). Types only; no code runs here.

/** One device that ggml knows, as `ggml_backend_dev_*` tells it. */
export interface NativeDevice {
  /** ggml's name, e.g. `CPU`, `CUDA0`, `Metal`, `RPC0`. */
  name: string;
  /** What the driver calls it. */
  description: string;
  /** `ggml_backend_dev_type`. */
  type: "cpu" | "gpu" | "igpu" | "accel" | "other";
  /** Free memory now, in bytes. */
  freeBytes: number;
  /** Memory in all, in bytes. */
  totalBytes: number;
}

/** What lies on one device, in bytes. */
export interface NativeDeviceMemory {
  /** ggml's name of it; `CPU` is all system memory. */
  device: string;
  weightBytes: number;
  cacheBytes: number;
  computeBytes: number;
}

/** What came of loading a backend library. */
export interface NativeBackendResult {
  /** Why it is not loaded; empty: it is. */
  reason: string;
  /** ggml's name of the backend, e.g. `Vulkan`; empty if it is not loaded. */
  backend: string;
  /** Names of the devices it brought. */
  devices: string[];
}

/** What libllama is started with. */
export interface NativeStartConfig {
  /** The folder the addon lies in, with the backends that belong to it. */
  backendDir: string;
  /** llama.cpp's strategy for machines with several memory nodes. */
  numa: "disabled" | "distribute" | "isolate" | "numactl";
}

/** The addon's functions for devices and backends. */
export interface NativeBackends {
  /**
   * [sync] `make` makes the errors that native code throws in this environment; until then they are
   * Errors with `code`.
   */
  setErrorMaker(make: (code: string, message: string) => Error): void;
  /**
   * [sync; once a process, later calls do nothing] Loads the CPU and RPC backends that lie beside
   * the addon, if they are not linked in, and starts libllama.
   */
  initialize(config: NativeStartConfig): void;
  /**
   * [async; as `initialize`] The same, and asks every driver for its devices, on a thread of its
   * own: a GPU's driver takes a third of a second to start.
   */
  start(config: NativeStartConfig): Promise<void>;
  /**
   * [sync; waits for every native thread, for a step or so and 5 s at most] Ends all engines and
   * jobs of the process, and lets no new one begin. The main thread calls it when its process emits
   * `exit`: afterwards C destroys static objects that llama.cpp's threads use. A thread that does
   * not end (a read from a file system that hangs) makes the process leave with `exitCode` and
   * without that.
   */
  endThreads(exitCode: number): void;
  /** [sync; may ask a driver; never waits for a load] */
  devices(): NativeDevice[];
  /**
   * [sync; never waits for a load] ggml's names of the backends that are loaded or linked in, e.g.
   * `CPU`, `Vulkan`.
   */
  backends(): string[];
  /**
   * [async] Loads one backend library; once a path and process, a later call gets what came of the
   * first. Does nothing where `backend`, ggml's name of it, is there already. A damaged library can
   * end the process: try it before.
   */
  loadBackend(path: string, backend: string): Promise<NativeBackendResult>;
  /**
   * [sync; a driver may take a second to start] The same on the calling thread, without waiting:
   * null while a model is being loaded or another thread loads a library.
   */
  loadBackendNow(path: string, backend: string): NativeBackendResult | null;
  /**
   * [sync; only in a process made for it, which it can end] Loads a library, starts each of its
   * devices and lets it multiply two small matrices.
   */
  tryBackend(path: string): NativeBackendResult;
}
