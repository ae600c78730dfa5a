// What the parent and the child of an isolated model tell each other, in order, over one channel that copies. Types only; no code runs here.
import type { BackendProblem } from "../binding/backends.js";
import type { NativeDevice } from "../binding/native-backends.js";
import type { NativeEvents, NativeRequest } from "../binding/native-request.js";
import type {
  NativeEngineConfig,
  NativeEngineInfo,
  NativeEngineStats,
  NativeLogEntry,
  NativeModelConfig,
  NativeModelInfo,
} from "../binding/native.js";

/** What can be asked of the child, and what it answers. */
export interface Calls {
  /** Starts llama.cpp, and loads what backends there are beside the addon and in the folder. Answers what could not be loaded. */
  start: {
    given: {
      numa: "disabled" | "distribute" | "isolate" | "numactl";
      backendDir: string | undefined;
    };
    answer: BackendProblem[];
  };
  /** Connects to the servers, if any, and tells all devices. */
  connect: { given: { servers: string[] }; answer: NativeDevice[] };
  /** Loads the next model: first the model itself, then its draft. */
  load: { given: { config: NativeModelConfig }; answer: NativeModelInfo };
  /** Makes the engine of what is loaded. */
  engine: {
    given: { config: NativeEngineConfig; hasDraft: boolean };
    answer: { info: NativeEngineInfo; stats: NativeEngineStats };
  };
  /** The state comes in pieces before the answer. */
  save: { given: { tokens: Int32Array }; answer: null };
  /** The state went in pieces before the call. */
  restore: { given: { tokens: Int32Array }; answer: null };
  /** Frees everything; the process ends after the answer. */
  close: { given: object; answer: null };
}

export type CallName = keyof Calls;

/** A call with its number. */
export type CallMessage = {
  [Name in CallName]: {
    readonly kind: "call";
    readonly call: number;
    readonly name: Name;
    readonly given: Calls[Name]["given"];
  };
}[CallName];

/** From the parent. */
export type Down =
  | CallMessage
  | { readonly kind: "cancel-load" }
  /** Answered at once, whatever the child's native threads do. */
  | { readonly kind: "ping" }
  | { readonly kind: "submit"; readonly request: NativeRequest }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "listen"; readonly on: boolean }
  | { readonly kind: "piece"; readonly call: number; readonly bytes: Uint8Array };

/** From the child. */
export type Up =
  | { readonly kind: "pong" }
  | { readonly kind: "answer"; readonly call: number; readonly value: Calls[CallName]["answer"] }
  | {
      readonly kind: "failure";
      readonly call: number;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: "progress"; readonly value: number }
  | {
      readonly kind: "events";
      readonly events: readonly NativeEvents[];
      readonly stats: NativeEngineStats | undefined;
    }
  | { readonly kind: "log"; readonly entries: readonly NativeLogEntry[] }
  | { readonly kind: "piece"; readonly call: number; readonly bytes: Uint8Array };

/** Saved state crosses in pieces, so that no single message holds an event loop up. Unit: bytes. */
export const PIECE_BYTES = 2 ** 20;

/** Pieces of bytes, in order. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
