// How the program reaches the Hub: the proxy of the command line. Main thread.
import { proxyAddress } from "../base/proxy-address.js";

/** The option of commands that reach the Hub without loading a model. */
export const PROXY_OPTION = [
  "--proxy <address>",
  "an HTTP proxy for requests to the Hub; default is HTTPS_PROXY",
] as const;

/**
 * Sends all requests of this process through a proxy, but for the hosts of `NO_PROXY`. The
 * environment is the program's own, and all that it starts shall take the same way.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` for an address that is not one.
 */
export function useProxy(address: string | undefined): void {
  if (address === undefined) return;
  proxyAddress(address, "proxy");
  // The lower case wins over the upper one.
  for (const name of ["http_proxy", "https_proxy"]) process.env[name] = address;
}
