// Keeps foreign web pages out: checks the name that a request came to and the page that sent it, and
// answers preflights of the pages that may.
import { isIP } from "node:net";
import { ApiError } from "../core/api-error.js";

/** Which hosts and pages may. */
export interface OriginRules {
  readonly allowedHosts: ReadonlySet<string> | "*";
  readonly corsOrigins: ReadonlySet<string> | "*";
}

/** The name in a `host:port`, without brackets. */
function hostName(host: string): string {
  const name = host.toLowerCase().replace(/:\d+$/, "");
  return name.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

/**
 * A page whose name was made to point at this machine (DNS rebinding) sends that name. Addresses
 * cannot be made so, and `localhost` is this machine.
 *
 * @throws {ApiError} 403
 */
export function checkHost(host: string, { allowedHosts }: OriginRules): void {
  if (allowedHosts === "*") return;
  const name = hostName(host);
  if (name === "localhost" || name.endsWith(".localhost") || isIP(name) !== 0) return;
  if (allowedHosts.has(name) || allowedHosts.has(host.toLowerCase())) return;
  throw new ApiError(
    "This host name is not allowed. Add it to `allowedHosts` (--allowed-hosts) if it is this server's.",
    { status: 403, type: "permission_error", code: "host_not_allowed" },
  );
}

/** Whether a page of this origin may use the server. */
export function mayUse(origin: string, { corsOrigins }: OriginRules): boolean {
  return corsOrigins === "*" || corsOrigins.has(origin.toLowerCase());
}

/**
 * Refuses what a foreign page sends.
 *
 * @param own - `host:port` of the request.
 * @returns The origin if it is a foreign one that may use the server.
 * @throws {ApiError} 403
 */
export function checkOrigin(headers: Headers, own: string, rules: OriginRules): string | undefined {
  const origin = headers.get("origin");
  const isCrossSite = headers.get("sec-fetch-site") === "cross-site";
  if (origin === null && !isCrossSite) return undefined;
  if (origin !== null && mayUse(origin, rules)) return origin;
  const isOwn =
    origin !== null &&
    /^https?:\/\//i.test(origin) &&
    origin.replace(/^https?:\/\//i, "").toLowerCase() === own.toLowerCase();
  if (isOwn) return undefined;
  throw new ApiError(
    "Web pages of this origin may not use the server. Add it to `corsOrigins` (--cors-origins) if they should.",
    { status: 403, type: "permission_error", code: "origin_not_allowed" },
  );
}

/** Headers of a response to a page that may use the server. */
export function corsHeaders(origin: string): Record<string, string> {
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "x-request-id, x-r1-ignored, x-r1-model, retry-after",
    vary: "Origin",
  };
}

/** Headers of the answer to a preflight. @param asked - The headers that the page wants to send. */
export function preflightHeaders(
  origin: string,
  methods: readonly string[],
  asked: string | undefined,
): Record<string, string> {
  return {
    ...corsHeaders(origin),
    "access-control-allow-methods": methods.join(", "),
    "access-control-allow-headers": asked ?? "authorization, content-type, x-api-key",
    "access-control-max-age": "600",
  };
}
