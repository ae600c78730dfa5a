// Checks the address of an HTTP proxy.
import { R1Error } from "./errors.js";

/**
 * Returns the full address of a proxy; one without a scheme is an HTTP proxy. The error message
 * leaves out the value, because it may contain a password.
 *
 * @param name - The option or variable that contains the address.
 * @throws {R1Error} `INVALID_ARGUMENT` if it is not the address of an HTTP proxy.
 */
export function proxyAddress(text: string, name: string): string {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === "")
    throw new R1Error(
      "INVALID_ARGUMENT",
      `Expected the address of an HTTP proxy such as http://proxy:8080 for \`${name}\`. ` +
        "Proxies of other kinds (SOCKS) are not supported.",
      { details: { option: name } },
    );
  return url.href;
}
