// `createApp`: the server as a Hono app. Checks who asks, finds the route, answers in its protocol.
import { Hono } from "hono";
import type { Context } from "hono";
import { nearest } from "../base/check.js";
import { ApiError, toApiError } from "./core/api-error.js";
import { ServerExchange } from "./core/exchange.js";
import { randomId } from "./core/ids.js";
import type { ModelSource } from "./core/models.js";
import type { BaseDefaults, Protocol, Route } from "./core/protocol.js";
import { ServerCore } from "./core/server-core.js";
import { KeyRing } from "./guard/keys.js";
import { checkHost, checkOrigin, corsHeaders, mayUse, preflightHeaders } from "./guard/origins.js";
import { normalizeOptions } from "./options.js";
import type { ServerOptions } from "./options.js";
import { openApiDocument } from "./openapi.js";
import { PROTOCOLS, protocolOfPath } from "./protocols.js";

/** What the listeners of this package put beside a request. */
interface Bindings {
  readonly incoming?: { readonly httpVersionMajor?: number };
}

type AppContext = Context<{ Bindings: Bindings }>;

/** Base paths of the routes, and what they set. */
const BASES: Readonly<Record<string, BaseDefaults>> = {
  "": { isFast: false },
  "/v1": { isFast: false },
  "/think": { reasoningForm: "tags", isFast: false },
  "/think/v1": { reasoningForm: "tags", isFast: false },
  "/fast": { isFast: true },
  "/fast/v1": { isFast: true },
};

/** Those that set how replies are made. */
const MODE_BASES = Object.entries(BASES)
  .filter(([, { reasoningForm, isFast }]) => isFast || reasoningForm !== undefined)
  .map(([at]) => at);

const PLAIN: BaseDefaults = { isFast: false };

/** A route where it lies. */
interface Place {
  readonly pattern: string;
  readonly route: Route;
  readonly protocol: Protocol;
  readonly base: BaseDefaults;
}

function placesOf(protocols: readonly Protocol[], prefix: string): Place[] {
  return protocols.flatMap((protocol) =>
    protocol.routes.flatMap((route) => {
      const bases = route.bases === "all" ? Object.entries(BASES) : [["", PLAIN] as const];
      return bases.map(([at, base]) => ({
        pattern: `${prefix}${at}${route.path}`,
        route,
        protocol,
        base,
      }));
    }),
  );
}

/** The server as a Hono app. Made by {@link createApp}. */
export class R1App extends Hono<{ Bindings: Bindings }> {
  readonly #core: ServerCore;
  readonly #keys: KeyRing;
  readonly #places: readonly Place[];

  /** @internal */
  constructor(models: ModelSource | Readonly<Record<string, ModelSource>>, options: ServerOptions) {
    // A path with a slash at its end is the same path.
    super({ strict: false });
    const config = normalizeOptions(options);
    this.#core = new ServerCore(models, config);
    this.#keys = new KeyRing(config.apiKeys, config.apiKeyFile, this.#core.log);
    this.#places = placesOf(PROTOCOLS, config.basePath);
    for (const place of this.#places)
      this.on(place.route.method, place.pattern, (c) => this.#answer(c, place));
    const document = openApiDocument(PROTOCOLS, config.basePath);
    const describe: Place = {
      pattern: `${config.basePath}/openapi.json`,
      route: {
        method: "GET",
        path: "/openapi.json",
        summary: "This document",
        bases: "root",
        handle: (exchange) => exchange.json(document),
      },
      protocol: protocolOfPath(""),
      base: PLAIN,
    };
    this.get(describe.pattern, (c) => this.#answer(c, describe));
    this.options("*", (c) => this.#preflight(c));
    this.all("*", (c) => this.#answer(c, undefined));
    // A user's own middleware may throw as well.
    this.onError((error, c) => this.#failed(error, protocolOfPath(c.req.path), randomId("req_")));
  }

  /** @internal What the routes share. */
  get core(): ServerCore {
    return this.#core;
  }

  /** Whether requests need a key. */
  get needsKey(): boolean {
    return this.#keys.isOn;
  }

  /**
   * Loads a model that was given as a function, before a request asks for it. Until it is there its
   * requests get 503, and `/health` too.
   *
   * @param name - Default: the first.
   * @throws what the function rejects with.
   */
  async load(name?: string): Promise<void> {
    const entry = this.#core.models.find(name);
    try {
      await entry.loadAwaited();
    } catch (error) {
      throw entry.lastError ?? error;
    }
  }

  /**
   * Takes no new requests (they get 503, and so does `/health`), waits for the running ones, and
   * ends what is left after `ms` milliseconds with an error in its protocol.
   */
  drain(ms: number): Promise<void> {
    return this.#core.drain(ms);
  }

  /** Ends all requests and closes the models that the app loaded itself, by their functions. */
  close(): Promise<void> {
    return this.#core.close();
  }

  async #answer(c: AppContext, place: Place | undefined): Promise<Response> {
    const started = performance.now();
    const id = requestId(c.req.raw.headers);
    const protocol = place?.protocol ?? protocolOfPath(c.req.path);
    let response: Response;
    let key: string | undefined;
    try {
      const origin = this.#guard(c);
      key =
        place?.route.isPublic === true ? "anonymous" : await this.#keys.nameFor(c.req.raw.headers);
      if (place === undefined) throw this.#noRoute(c.req.method, c.req.path);
      const exchange = new ServerExchange({
        core: this.#core,
        request: c.req.raw,
        id,
        key,
        base: place.base,
        params: c.req.param(),
      });
      try {
        response = await place.route.handle(exchange);
      } catch (error) {
        response = this.#failed(error, protocol, id);
      }
      for (const [name, value] of exchange.headers) response.headers.set(name, value);
      if (origin !== undefined)
        for (const [name, value] of Object.entries(corsHeaders(origin)))
          response.headers.set(name, value);
    } catch (error) {
      response = this.#failed(error, protocol, id);
    }
    response.headers.set("x-request-id", id);
    if (response.body !== null && isStream(response) && c.env?.incoming?.httpVersionMajor === 1)
      response.headers.set("transfer-encoding", "chunked");
    const ms = performance.now() - started;
    const route = place?.route.path ?? "none";
    this.#core.metrics.request({ route, status: response.status, seconds: ms / 1000 });
    const fields = { reqId: id, key, route, status: response.status, ms: Math.round(ms) };
    this.#core.log.info(fields, "request");
    return response;
  }

  /** @returns The foreign origin that may use the server, if it is one. @throws {ApiError} 403 */
  #guard(c: AppContext): string | undefined {
    const { config } = this.#core;
    const { host } = new URL(c.req.raw.url);
    checkHost(host, config);
    return checkOrigin(c.req.raw.headers, host, config);
  }

  #preflight(c: AppContext): Response {
    const origin = c.req.header("origin");
    if (origin === undefined || !mayUse(origin, this.#core.config))
      return new Response(null, { status: 403 });
    const methods = [...new Set(this.#places.map(({ route }) => route.method))];
    const asked = c.req.header("access-control-request-headers");
    return new Response(null, { status: 204, headers: preflightHeaders(origin, methods, asked) });
  }

  #noRoute(method: string, path: string): ApiError {
    const fits = this.#places.filter(({ pattern }) => matches(pattern, path));
    if (fits.length > 0) {
      const allowed = [...new Set(fits.map(({ route }) => route.method))].join(", ");
      return new ApiError(`${path} takes ${allowed}, not ${method}.`, {
        status: 405,
        type: "invalid_request_error",
        code: "method_not_allowed",
        headers: { allow: allowed },
      });
    }
    const isBased = (text: string): boolean => MODE_BASES.some((at) => text.includes(`${at}/`));
    const named = this.#places.filter(
      ({ route, pattern }) => route.path !== "/" && isBased(pattern) === isBased(path),
    );
    const near =
      nearest(
        path,
        named.map(({ pattern }) => pattern),
      ) ?? named.find(({ route }) => path.endsWith(route.path))?.pattern;
    const isUnsupported = /\/(?:embeddings?|rerank(?:ing)?|infill|audio|images|moderations)\b/.exec(
      path,
    );
    const hint =
      isUnsupported !== null
        ? " This server offers text generation only."
        : near === undefined
          ? " GET /openapi.json lists the routes."
          : ` Did you mean ${near}?`;
    return new ApiError(`There is no route ${method} ${path.slice(0, 200)}.${hint}`, {
      status: 404,
      type: "not_found_error",
      code: "not_found",
    });
  }

  #failed(thrown: unknown, protocol: Protocol, id: string): Response {
    const error = toApiError(thrown);
    this.#core.metrics.error(error.code ?? error.type);
    if (error.status === 500)
      this.#core.log.error({ reqId: id, err: error.cause ?? error }, "request failed");
    const headers = new Headers({
      "content-type": "application/json; charset=utf-8",
      ...error.headers,
    });
    if (error.retryAfterMs !== undefined) {
      headers.set("retry-after", String(Math.ceil(error.retryAfterMs / 1000)));
      headers.set("retry-after-ms", String(Math.ceil(error.retryAfterMs)));
      headers.set("x-should-retry", "true");
    }
    headers.set("x-request-id", id);
    return new Response(JSON.stringify(protocol.errorBody(error, id)), {
      status: error.status,
      headers,
    });
  }
}

/** The client's own id of a request if it is one, else a new one. */
function requestId(headers: Headers): string {
  const given = headers.get("x-request-id") ?? "";
  return /^[\w-]{1,128}$/.test(given) ? given : randomId("req_");
}

function isStream(response: Response): boolean {
  return response.headers.get("cache-control") === "no-cache, no-transform";
}

/** Whether a path fits a pattern such as `/responses/:id`. */
function matches(pattern: string, path: string): boolean {
  const want = pattern.split("/");
  const have = path.replace(/\/$/, "").split("/");
  return (
    want.length === have.length && want.every((step, i) => step.startsWith(":") || step === have[i])
  );
}

/**
 * The server as a Hono app: `app.fetch(request)` answers a request, and `route("/llm", app)` of
 * another Hono app mounts it. It listens to nothing, adds no handlers to the process, and closes no
 * model that it was given loaded.
 *
 * @param models - One model, or several by the names that requests have for them. A function is
 * called on the first request for its model.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`
 * @example
 * ```ts
 * const app = createApp(await loadModel(), { apiKeys: ["secret"] });
 * export const POST = (request: Request) => app.fetch(request);
 * ```
 */
export function createApp(
  models: ModelSource | Readonly<Record<string, ModelSource>>,
  options: ServerOptions = {},
): R1App {
  return new R1App(models, options);
}
