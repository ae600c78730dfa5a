// Our own routes: health, metrics, tokens, and what llama-server's clients look up.
import { openaiError } from "../core/error-form.js";
import type { Protocol } from "../core/protocol.js";
import { health, metrics, props, root, slots } from "./status-routes.js";
import { detokenize, detokenizeFields, tokenize, tokenizeFields } from "./text-routes.js";

/** The routes that belong to no other protocol. */
export const nativeProtocol: Protocol = Object.freeze({
  name: "r1-native",
  errorBody: openaiError,
  routes: [
    {
      method: "GET",
      path: "/health",
      summary: "Whether requests are taken: 503 while a model loads and while draining",
      isPublic: true,
      bases: "root",
      handle: health,
    },
    {
      method: "GET",
      path: "/v1/health",
      summary: "The same",
      isPublic: true,
      bases: "root",
      handle: health,
    },
    {
      method: "GET",
      path: "/metrics",
      summary: "Metrics in Prometheus' text form",
      bases: "root",
      handle: metrics,
    },
    {
      method: "GET",
      path: "/props",
      summary: "Facts of the first model, in llama-server's form",
      bases: "root",
      handle: props,
    },
    {
      method: "GET",
      path: "/slots",
      summary: "The sequences and how many are busy, without any text",
      bases: "root",
      handle: slots,
    },
    {
      method: "POST",
      path: "/tokenize",
      summary: "Text to token ids",
      body: tokenizeFields,
      bases: "root",
      handle: tokenize,
    },
    {
      method: "POST",
      path: "/detokenize",
      summary: "Token ids to text",
      body: detokenizeFields,
      bases: "root",
      handle: detokenize,
    },
    { method: "GET", path: "/", summary: "What this is", bases: "root", handle: root },
  ],
} satisfies Protocol);
