// startRpcServer: lends this machine's devices to models on other machines. The server runs in a
// child process.
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { array, boolean, integer, knownKeys, object, signal, string } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { physicalCores } from "../machine/cpu.js";

/** Options of {@link startRpcServer}. */
export interface RpcServerOptions {
  /**
   * Address to listen on: a name or an IPv4 address of this machine, or `"0.0.0.0"` for all of its
   * networks. The protocol has no authentication and no encryption, and is unsafe by design: anyone
   * who reaches the port can run code here. Use an address beyond loopback only on a network that
   * you trust.
   * @defaultValue `"127.0.0.1"`
   */
  readonly host?: string | undefined;
  /** Range: 0 .. 65535; 0 chooses a free one. @defaultValue 50052 */
  readonly port?: number | undefined;
  /**
   * Threads of the CPU device. Range: 1 .. 512.
   * @defaultValue the physical cores this process may use
   */
  readonly threads?: number | undefined;
  /**
   * Names of the devices to lend, as listed by `devices()`.
   * @defaultValue every GPU, or else the CPU
   */
  readonly devices?: readonly string[] | undefined;
  /**
   * Keeps tensors above 10 MiB in a folder, so that the next load of the same model does not send
   * them again; true: the folder of llama.cpp's own server.
   * @defaultValue false
   */
  readonly cache?: boolean | string | undefined;
  /** Cancels the start. */
  readonly signal?: AbortSignal | undefined;
}

/** A running server. It keeps the process alive until it is closed. */
export interface RpcServer extends AsyncDisposable {
  /** The value for a client's option `rpc`: `host:port`. */
  readonly endpoint: string;
  /** The address it listens on. */
  readonly host: string;
  /** The port it listens on, even if a free one was requested. */
  readonly port: number;
  /** Whether other machines can reach it. */
  readonly isLoopback: boolean;
  /**
   * Resolves when the server is closed; rejects with `RPC_SERVER_FAILED` if its process ends by
   * itself.
   */
  readonly ended: Promise<void>;
  /** Ends the server at once; a model that uses it fails. May be called several times. */
  close(): Promise<void>;
}

const KEYS = Object.keys({
  host: 0,
  port: 0,
  threads: 0,
  devices: 0,
  cache: 0,
  signal: 0,
} satisfies Record<keyof RpcServerOptions, 0>);

/** Where llama.cpp's own server keeps tensors. */
function sharedCache(): string {
  const { LLAMA_CACHE, LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  const bases: Partial<Record<NodeJS.Platform, string>> = {
    darwin: join(homedir(), "Library", "Caches"),
    win32: LOCALAPPDATA ?? join(homedir(), "AppData", "Local"),
  };
  const base = bases[process.platform] ?? XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return join(LLAMA_CACHE ?? join(base, "llama.cpp"), "rpc");
}

async function cacheFolder(cache: boolean | string): Promise<string> {
  if (cache === false) return "";
  const folder = cache === true ? sharedCache() : cache;
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new R1Error(
      "IO_FAILED",
      `Cannot create the folder ${folder} for tensors: ${(error as Error).message}.`,
      {
        cause: error,
        details: { path: folder },
      },
    );
  }
  return folder;
}

/**
 * Lends this machine's devices to models on other machines, like llama.cpp's `rpc-server`: a model
 * loaded with `{ rpc: [server.endpoint] }` may place layers here. Serves one client at a time.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` (also for a device that does not exist), `UNKNOWN_OPTION`;
 * `RPC_SERVER_FAILED` if the port is in use or the address is not this machine's; `IO_FAILED`;
 * `ADDON_MISSING`.
 * @example
 * ```ts
 * await using server = await startRpcServer({ port: 0 });
 * await using model = await loadModel(undefined, { rpc: [server.endpoint] });
 * ```
 */
export async function startRpcServer(options: RpcServerOptions = {}): Promise<RpcServer> {
  knownKeys(object(options, "options"), "startRpcServer", KEYS);
  const host = string(options.host ?? "127.0.0.1", "host");
  const port = integer(options.port ?? 50_052, "port", 0, 65_535);
  const threads = integer(options.threads ?? physicalCores(), "threads", 1, 512);
  const devices = array(options.devices ?? [], "devices", (name, at) => string(name, at));
  const cache =
    typeof options.cache === "string"
      ? string(options.cache, "cache")
      : boolean(options.cache ?? false, "cache");
  const stop = options.signal === undefined ? undefined : signal(options.signal, "signal");
  const { startServerProcess } = await import("./server-process.js");
  const running = await startServerProcess(
    { host, port, threads, devices, cacheDir: await cacheFolder(cache) },
    stop,
  );
  const close = (): Promise<void> => running.close();
  return Object.freeze({
    endpoint: `${running.host}:${running.port}`,
    host: running.host,
    port: running.port,
    isLoopback: running.host.startsWith("127."),
    ended: running.ended,
    close,
    [Symbol.asyncDispose]: close,
  });
}
