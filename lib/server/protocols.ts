// The protocols of the server, and which of them a path without a route belongs to.
import { anthropicProtocol } from "./anthropic/protocol.js";
import type { Protocol } from "./core/protocol.js";
import { nativeProtocol } from "./native/protocol.js";
import { openaiProtocol } from "./openai/protocol.js";
import { responsesProtocol } from "./responses/protocol.js";

/** Every protocol; a route that two have belongs to the first. */
export const PROTOCOLS: readonly Protocol[] = Object.freeze([
  openaiProtocol,
  responsesProtocol,
  anthropicProtocol,
  nativeProtocol,
]);

/** The protocol whose error form fits a path that has no route. */
export function protocolOfPath(path: string): Protocol {
  return /\/messages(?:\/|$)/.test(path) ? anthropicProtocol : openaiProtocol;
}
