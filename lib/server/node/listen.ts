// `serve`: the app on a port of this machine, with or without TLS, until it is closed.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { isIP } from "node:net";
import type { AddressInfo } from "node:net";
import { boolean, integer, knownKeys, object, string } from "../../base/check.js";
import { R1Error } from "../../base/errors.js";
import type { R1App } from "../app.js";
import { toNodeHandler } from "./handler.js";

/** Where and how {@link serve} listens. */
export interface ServeOptions {
  /** Range: 0 .. 65535; 0: any free port. @defaultValue 8080 */
  readonly port?: number | undefined;
  /** Address or name to listen on. @defaultValue `"127.0.0.1"` */
  readonly host?: string | undefined;
  /**
   * Listens on an address that other machines reach, although the app asks for no key.
   * @defaultValue false
   */
  readonly allowUnauthenticated?: boolean | undefined;
  /** Files of a key and a certificate in PEM form, for HTTPS; both or none. */
  readonly tlsKeyFile?: string | undefined;
  readonly tlsCertFile?: string | undefined;
}

/** A server that listens. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /**
   * Refuses new requests with 503, waits for the running ones, ends what is left after `drainMs`
   * with an error in its protocol, and stops listening. Models stay open, but for those that the
   * app loaded itself. A later call can shorten the wait.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/** Clients behind proxies reuse connections for a minute; Node's own 5 s would cut them. */
const KEEP_ALIVE_MS = 75_000;
/** What ended requests may still have to send. */
const FLUSH_MS = 500;

function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}

async function makeServer(app: R1App, options: ServeOptions): Promise<Server> {
  const listener = toNodeHandler(app);
  const handle = (
    request: Parameters<typeof listener>[0],
    response: Parameters<typeof listener>[1],
  ): void => void listener(request, response);
  const { tlsKeyFile, tlsCertFile } = options;
  if (tlsKeyFile === undefined || tlsCertFile === undefined) return createServer(handle);
  const read = async (file: string, what: string): Promise<Buffer> => {
    try {
      return await readFile(file);
    } catch (error) {
      throw new R1Error("FILE_UNREADABLE", `The ${what} file ${file} cannot be read.`, {
        cause: error,
      });
    }
  };
  const [key, cert] = [
    await read(tlsKeyFile, "TLS key"),
    await read(tlsCertFile, "TLS certificate"),
  ];
  try {
    return createSecureServer({ key, cert }, handle);
  } catch (error) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      `The TLS key and certificate do not fit together: ${(error as Error).message}.`,
      { cause: error, details: { option: "tlsCertFile" } },
    );
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): R1Error {
  const advice =
    error.code === "EADDRINUSE"
      ? "another program listens there: choose another `port`, or 0 for any free one"
      : error.code === "EACCES"
        ? "ports below 1024 need more rights: choose a larger `port`"
        : error.message;
  return new R1Error("IO_FAILED", `Cannot listen on ${host}:${port}: ${advice}.`, { cause: error });
}

function check(given: ServeOptions): { readonly host: string; readonly port: number } {
  const options = object(given, "options");
  knownKeys(options, "serve", [
    "port",
    "host",
    "allowUnauthenticated",
    "tlsKeyFile",
    "tlsCertFile",
  ]);
  const { port, host, allowUnauthenticated, tlsKeyFile, tlsCertFile } = given;
  if (allowUnauthenticated !== undefined) boolean(allowUnauthenticated, "allowUnauthenticated");
  if ((tlsKeyFile === undefined) !== (tlsCertFile === undefined))
    throw new R1Error("INVALID_ARGUMENT", "HTTPS needs both `tlsKeyFile` and `tlsCertFile`.", {
      details: { option: tlsKeyFile === undefined ? "tlsKeyFile" : "tlsCertFile" },
    });
  return {
    host: host === undefined ? "127.0.0.1" : string(host, "host"),
    port: port === undefined ? 8080 : integer(port, "port", 0, 65_535),
  };
}

/** Closes a server once what it is sending is out, or after a short wait. */
async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), FLUSH_MS);
  await closed;
  clearTimeout(timer);
}

/**
 * Listens on a port. On an address that other machines reach, the app must ask for a key.
 *
 * @throws {R1Error} rejects with `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `IO_FAILED` when the port is
 * taken; `FILE_UNREADABLE` for the files of TLS.
 * @example
 * ```ts
 * const server = await serve(createApp(await loadModel()), { port: 8080 });
 * process.once("SIGTERM", () => void server.close({ drainMs: 30_000 }));
 * ```
 */
export async function serve(app: R1App, options: ServeOptions = {}): Promise<RunningServer> {
  const { host, port } = check(options);
  if (!isLoopback(host) && !app.needsKey && options.allowUnauthenticated !== true)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `Other machines reach ${host}, and the server asks for no key. Give \`apiKeys\` or ` +
        "`apiKeyFile`, listen on 127.0.0.1, or set `allowUnauthenticated`.",
      { details: { option: "host" } },
    );
  const server = await makeServer(app, options);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 1000;
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, host, port);
  }
  const address = server.address() as AddressInfo;
  const scheme = options.tlsKeyFile === undefined ? "http" : "https";
  const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
  let closing: Promise<void> | undefined;
  const close = async (drainMs: number): Promise<void> => {
    await app.drain(drainMs);
    closing ??= closeServer(server).then(() => app.close());
    await closing;
  };
  return {
    url: `${scheme}://${shown}:${address.port}`,
    port: address.port,
    close: ({ drainMs = 0 } = {}) => close(integer(drainMs, "drainMs", 0, 2 ** 31 - 1)),
  };
}
