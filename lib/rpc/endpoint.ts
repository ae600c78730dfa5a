// Addresses of RPC servers: "host:port" in llama.cpp's format. Pure.
import { array, refuse, string } from "../base/check.js";
import { R1Error } from "../base/errors.js";

/** Where a server listens. */
export interface Endpoint {
  /** A name or an IPv4 address: llama.cpp's RPC does not support IPv6. */
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly text: string;
}

/** llama.cpp's maximum. */
const MAX_SERVERS = 16;

const SHAPE = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?):(\d{1,5})$/;

/** @throws {R1Error} `INVALID_ARGUMENT` */
function checkEndpoint(value: unknown, path: string): Endpoint {
  const text = string(value, path);
  const [, host = "", digits = ""] = SHAPE.exec(text) ?? [];
  const port = Number(digits);
  if (host === "" || port < 1 || port > 65_535)
    refuse(
      path,
      'an address such as "192.168.0.2:50052" (a name or an IPv4 address, then the port)',
      value,
    );
  return Object.freeze({ host, port, text: `${host}:${port}` });
}

/**
 * @throws {R1Error} `INVALID_ARGUMENT` if it is not a list of addresses, contains a server twice,
 * or has more than {@link MAX_SERVERS}.
 */
export function checkEndpoints(value: unknown, path: string): readonly Endpoint[] {
  const endpoints = array(value, path, checkEndpoint);
  if (endpoints.length > MAX_SERVERS) refuse(path, `at most ${MAX_SERVERS} servers`, value);
  endpoints.forEach((endpoint, i) => {
    const first = endpoints.findIndex(
      ({ text }) => text.toLowerCase() === endpoint.text.toLowerCase(),
    );
    if (first === i) return;
    throw new R1Error(
      "INVALID_ARGUMENT",
      `\`${path}[${i}]\` is the server ${endpoint.text} once more: an rpc-server serves one client at a time, so name each once.`,
      {
        details: { option: `${path}[${i}]` },
      },
    );
  });
  return Object.freeze(endpoints);
}
