// The app as a listener of node:http requests, for Express, Connect, Fastify and node:http itself.
import { getRequestListener } from "@hono/node-server";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { R1App } from "../app.js";

/** What frameworks hang onto a request. */
type ParsedRequest = IncomingMessage & { body?: unknown; rawBody?: unknown };

/**
 * A body that `express.json()` or another parser has read already is given to the app once more:
 * the stream is empty by now, and a reader of it would wait for ever.
 */
function restoreBody(request: ParsedRequest): void {
  const { body, rawBody } = request;
  if (body === undefined || rawBody instanceof Buffer) return;
  if (!request.readableEnded && !request.complete) return;
  request.rawBody = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

/**
 * The app as a function of request and response: `express.use("/llm", toNodeHandler(app))`, or
 * `http.createServer(toNodeHandler(app))`. It works behind `express.json()` and `compression()`,
 * and leaves the process's global `Request` and `Response` alone.
 *
 * Where the framework does not take the mount path off the URL, as Fastify, give `createApp` that
 * path as `basePath`.
 */
export function toNodeHandler(
  app: R1App,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
  });
  return (request, response) => {
    restoreBody(request);
    return listener(request, response);
  };
}
