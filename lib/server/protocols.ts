// The protocols of the server, and which of them a path without a route belongs to.
import type { Protocol } from "./core/protocol.js";
import { nativeProtocol } from "./native/protocol.js";
import { openaiProtocol } from "./openai/protocol.js";

/** Every protocol; a route that two have belongs to the first. */
export const PROTOCOLS: readonly Protocol[] = Object.freeze([openaiProtocol, nativeProtocol]);

/** The protocol whose error form fits a path that has no route. */
export function protocolOfPath(_path: string): Protocol {
  return openaiProtocol;
}
