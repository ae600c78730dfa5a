// The program that serves this machine's devices, in a child process: llama.cpp's server never
// returns, and bad input can abort it. Started by server-process.ts. Main thread of that process;
// the server runs on a native thread.
import { parentChannel } from "../base/channel.js";
import { initialize, native } from "../binding/load.js";
import type { NativeRpcServerConfig } from "../binding/native-rpc.js";

/** The child's report if the server cannot start or continue. */
export interface RpcServerMessage {
  readonly code: string;
  readonly message: string;
}

// Ctrl-C reaches every process of a terminal's group. The parent decides what to do, and this
// process ends with it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
// Only SIGKILL ends the native thread, which waits for clients.
const end = (): void => void process.kill(process.pid, "SIGKILL");

function serve(config: NativeRpcServerConfig): void {
  const fail = (error: unknown): void => {
    const { code, message } = error as { code?: unknown; message?: unknown };
    const report: RpcServerMessage = {
      code: typeof code === "string" ? code : "INTERNAL",
      message: String(message),
    };
    void channel.send(report).then(end);
  };
  try {
    initialize("disabled");
    native().serveRpc(config).catch(fail);
  } catch (error) {
    fail(error);
  }
}

const channel = parentChannel<NativeRpcServerConfig, RpcServerMessage>(serve, end);
