// Our own routes: health, metrics, and what llama-server's clients look up.
import type { Exchange, Protocol } from "../core/protocol.js";
import { openaiError } from "../core/error-form.js";

/** GET /health: 200 when requests are taken, 503 while a model loads and while draining. */
function health(exchange: Exchange): Response {
  exchange.core.assertHealthy();
  return exchange.json({ status: "ok" });
}

/** The routes that belong to no other protocol. */
export const nativeProtocol: Protocol = Object.freeze({
  name: "r1-native",
  errorBody: openaiError,
  routes: [
    {
      method: "GET",
      path: "/health",
      summary: "Whether requests are taken",
      isPublic: true,
      bases: "root",
      handle: health,
    },
  ],
} satisfies Protocol);
