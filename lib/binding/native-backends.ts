// The part of the contract for devices and backend libraries (native.ts defines [sync] and
// [async]). Types only.

/** One device known to ggml, as reported by `ggml_backend_dev_*`. */
export interface NativeDevice {
  /** ggml's name, e.g. `CPU`, `CUDA0`, `Metal`, `RPC0`. */
  name: string;
  /** The driver's name of the device. */
  description: string;
  /** `ggml_backend_dev_type`. */
  type: "cpu" | "gpu" | "igpu" | "accel" | "other";
  /** Memory that is free now, in bytes. */
  freeBytes: number;
  /** Total memory, in bytes. */
  totalBytes: number;
}

/** The memory in use on one device, in bytes. */
export interface NativeDeviceMemory {
  /** ggml's name of the device; `CPU` is all system memory. */
  device: string;
  weightBytes: number;
  cacheBytes: number;
  computeBytes: number;
}

/** The result of loading a backend library. */
export interface NativeBackendResult {
  /** Why it is not loaded; empty if it is. */
  reason: string;
  /** ggml's name of the backend, e.g. `Vulkan`; empty if it is not loaded. */
  backend: string;
  /** Names of the devices it provides. */
  devices: string[];
}

/** The configuration that libllama is started with. */
export interface NativeStartConfig {
  /** The folder of the addon and of the backends that belong to it. */
  backendDir: string;
  /** llama.cpp's strategy for machines with several memory nodes. */
  numa: "disabled" | "distribute" | "isolate" | "numactl";
}

/** The addon's functions for devices and backends. */
export interface NativeBackends {
  /**
   * [sync] `make` creates the errors that native code throws in this environment; before this call
   * they are Errors with `code`.
   */
  setErrorMaker(make: (code: string, message: string) => Error): void;
  /**
   * [sync; once per process, later calls do nothing] Loads the CPU and RPC backends beside the
   * addon, if they are not linked in, and starts libllama.
   */
  initialize(config: NativeStartConfig): void;
  /**
   * [async; like `initialize`] The same on a separate thread, and also asks every driver for its
   * devices: a GPU's driver takes a third of a second to start.
   */
  start(config: NativeStartConfig): Promise<void>;
  /**
   * [sync; waits for every native thread, for about one step and at most 5 s] Ends all engines and
   * jobs of the process, and prevents new ones. The main thread calls it when its process emits
   * `exit`: afterwards C destroys static objects that llama.cpp's threads use. If a thread does not
   * end (a read from a hanging file system), the process exits with `exitCode` without that
   * destruction.
   */
  endThreads(exitCode: number): void;
  /** [sync; may query a driver; never waits for a load] */
  devices(): NativeDevice[];
  /**
   * [sync; never waits for a load] ggml's names of the loaded or linked-in backends, e.g. `CPU`,
   * `Vulkan`.
   */
  backends(): string[];
  /**
   * [async] Loads one backend library, once per path and process; a later call returns the result
   * of the first. Does nothing if `backend`, ggml's name of it, is already loaded. A damaged
   * library can end the process: try it first.
   */
  loadBackend(path: string, backend: string): Promise<NativeBackendResult>;
  /**
   * [sync; a driver may take a second to start] The same on the calling thread, without waiting:
   * returns null while a model is being loaded or another thread loads a library.
   */
  loadBackendNow(path: string, backend: string): NativeBackendResult | null;
  /**
   * [sync; only in a process created for it, because it can end that process] Loads a library,
   * starts each of its devices and lets it multiply two small matrices.
   */
  tryBackend(path: string): NativeBackendResult;
}
