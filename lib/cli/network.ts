// How the program reaches the Hub: the proxy from the command line. Main thread.
import { proxyAddress } from "../base/proxy-address.js";

/** The proxy option, for commands that reach the Hub without loading a model. */
export const PROXY_OPTION = [
  "--proxy <address>",
  "HTTP proxy for requests to the Hub (default: HTTPS_PROXY)",
] as const;

/**
 * Sends all requests of this process through a proxy, except to the hosts in `NO_PROXY`. Changes
 * the program's own environment, so that child processes use the same proxy.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` if the address is not valid.
 */
export function useProxy(address: string | undefined): void {
  if (address === undefined) return;
  proxyAddress(address, "proxy");
  // The lower-case variables override the upper-case ones.
  for (const name of ["http_proxy", "https_proxy"]) process.env[name] = address;
}
