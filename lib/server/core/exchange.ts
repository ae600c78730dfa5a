// One request while it is answered: what `Exchange` promises to the routes.
import type { z } from "zod";
import { isAuxiliary } from "./auxiliary.js";
import type { AuxiliaryFacts } from "./auxiliary.js";
import { readJson } from "./body.js";
import type { GenerateCall } from "./call.js";
import { checkFields, ignoredHeader } from "./fields.js";
import type { FieldSchema } from "./fields.js";
import type { BaseDefaults, Exchange } from "./protocol.js";
import { streamResponse, wholeResponse } from "./respond.js";
import type { StreamEncoder, WholeEncoder } from "./respond.js";
import type { Run } from "./run.js";
import type { ReadableRun } from "./run-group.js";
import type { ServerCore } from "./server-core.js";

/** What is known of a request before its route gets it. */
export interface ExchangeInit {
  readonly core: ServerCore;
  readonly request: Request;
  readonly id: string;
  readonly key: string;
  readonly base: BaseDefaults;
  readonly params: Readonly<Record<string, string>>;
}

/** See {@link Exchange}. */
export class ServerExchange implements Exchange {
  readonly core: ServerCore;
  readonly request: Request;
  readonly id: string;
  readonly key: string;
  readonly base: BaseDefaults;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Headers that the response gets. */
  readonly headers = new Map<string, string>();

  constructor(init: ExchangeInit) {
    this.core = init.core;
    this.request = init.request;
    this.id = init.id;
    this.key = init.key;
    this.base = init.base;
    this.params = init.params;
    this.query = new URL(init.request.url).searchParams;
  }

  async fields<Schema extends FieldSchema>(schema: Schema): Promise<z.output<Schema>> {
    const body = await readJson(this.request, this.core.config.limits);
    const { value, ignored } = checkFields(schema, body);
    const names = ignoredHeader(ignored);
    if (names !== undefined) this.header("x-r1-ignored", names);
    return value;
  }

  header(name: string, value: string): void {
    this.headers.set(name, value);
  }

  isAuxiliary(facts: Omit<AuxiliaryFacts, "headers">): boolean {
    return isAuxiliary(this.core.config.auxiliary, { ...facts, headers: this.request.headers });
  }

  generate(call: GenerateCall): Run {
    const { id, key } = this;
    this.header("x-r1-model", this.core.models.find(call.model, call.modelFallback).name);
    return this.core.start(call, { id, key, signal: this.request.signal });
  }

  async respond(
    run: ReadableRun,
    encoders: { readonly stream: StreamEncoder } | { readonly whole: WholeEncoder },
    settings: { readonly pingMs?: number | undefined; readonly isEager?: boolean | undefined } = {},
  ): Promise<Response> {
    const { keepAlive } = this.core.config;
    const intervalMs = settings.pingMs ?? keepAlive.intervalMs;
    const life = { ...keepAlive, intervalMs };
    return "stream" in encoders
      ? streamResponse(run, encoders.stream, life, settings.isEager === true)
      : wholeResponse(run, encoders.whole, life);
  }

  json(value: unknown, status = 200): Response {
    return new Response(JSON.stringify(value), {
      status,
      headers: { "content-type": "application/json; charset=utf-8" },
    });
  }
}
