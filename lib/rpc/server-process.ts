// Starts the program that serves this machine's devices, waits until it answers, and ends it.
// Asynchronous.
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Channel } from "../base/channel.js";
import { builtModule, endOf, lastWords, startChild } from "../base/child.js";
import { isErrorCode, isR1Error, R1Error } from "../base/errors.js";
import type { NativeRpcServerConfig } from "../binding/native-rpc.js";
import { probeServers } from "./probe.js";
import type { RpcServerMessage } from "./server-child.js";

const PROGRAM = builtModule(new URL("./server-child.js", import.meta.url));
/** Loading a GPU's backend and making its context may take seconds. */
const START_MS = 60_000;
const ASK_EVERY_MS = 25;

/** A server that runs. */
export interface ServerProcess {
  /** IPv4 address it listens on. */
  readonly host: string;
  readonly port: number;
  /** Resolves when it is closed, rejects with `RPC_SERVER_FAILED` when it ends by itself. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

function failed(message: string, reason: string, details: object = {}, cause?: unknown): R1Error {
  return new R1Error("RPC_SERVER_FAILED", message, {
    details: { reason, ...details },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Returns the IPv4 address of a host; llama.cpp's server accepts nothing else. */
async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host, { family: 4 })).address;
  } catch (error) {
    throw failed(
      `The host ${host} has no IPv4 address. Give an address of this machine, 127.0.0.1 for this machine alone, or 0.0.0.0 for all of its networks.`,
      "host",
      { host },
      error,
    );
  }
}

/** Opens the port briefly, so that a problem can be reported in words; 0 chooses a free one. */
async function checkPort(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const where = `${host}:${port}`;
    if (code === "EADDRINUSE")
      throw failed(
        `The port ${where} is taken: another program listens there. Choose another port, or end that program.`,
        "port-taken",
        { host, port },
        error,
      );
    if (code === "EADDRNOTAVAIL")
      throw failed(
        `The address ${host} is not one of this machine. Give one that is, or 0.0.0.0 for all of its networks.`,
        "host",
        { host },
        error,
      );
    if (code === "EACCES")
      throw failed(
        `The port ${where} is reserved for privileged programs. Choose one above 1023.`,
        "port-forbidden",
        { host, port },
        error,
      );
    throw failed(
      `Cannot listen on port ${where}: ${(error as Error).message}.`,
      "port",
      { host, port },
      error,
    );
  } finally {
    server.close();
  }
}

/**
 * Starts a server and waits until it answers.
 *
 * @throws {R1Error} `RPC_SERVER_FAILED`; `INVALID_ARGUMENT` for a device that does not exist;
 * `ADDON_MISSING`; the signal's reason.
 */
export async function startServerProcess(
  config: NativeRpcServerConfig,
  signal: AbortSignal | undefined,
): Promise<ServerProcess> {
  const host = await addressOf(config.host);
  const port = await checkPort(host, config.port);
  signal?.throwIfAborted();
  const child = startChild(PROGRAM);
  let isClosed = false;
  let isReady = false;
  let report: RpcServerMessage | undefined;
  const channel = new Channel<RpcServerMessage, NativeRpcServerConfig>(
    child.link,
    (message) => (report = message),
  );
  const ended = child.ended.then((end) => {
    if (isClosed) return;
    if (report !== undefined)
      throw new R1Error(
        isErrorCode(report.code) ? report.code : "RPC_SERVER_FAILED",
        report.message,
      );
    const words = lastWords(child.tail);
    throw failed(
      `The server's process ${endOf(end)}.${words === "" ? "" : ` Its last words: ${words}`} ` +
        "A program that does not speak the protocol can cause that; start the server again.",
      "ended",
      { signal: end.signal, exitCode: end.code },
    );
  });
  ended.catch(() => undefined);
  const close = (): Promise<void> => {
    isClosed = true;
    child.kill();
    return ended.catch(() => undefined);
  };
  void channel.send({ ...config, host, port });
  try {
    await Promise.race([ended, waitUntilItAnswers(host, port, () => isReady || isClosed, signal)]);
    isReady = true;
  } catch (error) {
    isReady = true;
    await close();
    throw error;
  }
  return { host, port, ended, close };
}

async function waitUntilItAnswers(
  host: string,
  port: number,
  isOver: () => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const own = host === "0.0.0.0" ? "127.0.0.1" : host;
  const deadline = performance.now() + START_MS;
  while (!isOver()) {
    try {
      await probeServers([{ host: own, port, text: `${own}:${port}` }], signal);
      return;
    } catch (error) {
      if (!isR1Error(error, "RPC_UNREACHABLE")) throw error;
      if (performance.now() > deadline)
        throw failed(
          `The server did not listen on ${host}:${port} within ${START_MS / 1000} s.`,
          "timeout",
          { host, port },
          error,
        );
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}
