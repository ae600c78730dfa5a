// The messages between the parent and the child of an isolated model, which are copied in order
// over one channel, and the transfer of bytes.
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
import type { NativeOpenedSession } from "../binding/native-session.js";
import type { SessionSave } from "./sessions.js";

/** The calls to the child, and their answers. */
export interface Calls {
  /**
   * Starts llama.cpp, and loads the available backends beside the addon and in the folder. Answers
   * with those that could not be loaded.
   */
  start: {
    given: {
      numa: "disabled" | "distribute" | "isolate" | "numactl";
      backendDir: string | undefined;
    };
    answer: BackendProblem[];
  };
  /** Connects to the servers, if any, and answers with all devices. */
  connect: { given: { servers: string[] }; answer: NativeDevice[] };
  /** Loads the next model: first the model itself, then its draft. */
  load: { given: { config: NativeModelConfig }; answer: NativeModelInfo };
  /** Creates the engine of the loaded models. */
  engine: {
    given: { config: NativeEngineConfig; hasDraft: boolean };
    answer: { info: NativeEngineInfo; stats: NativeEngineStats };
  };
  /** Holds cells of a session. */
  hold: { given: { tokens: Int32Array; session: number }; answer: number };
  /** Saves a session to a file, or in pieces that are sent before the answer. */
  save: { given: SessionSave; answer: null };
  /** Opens a saved session: a file, or the pieces that were sent before the call. */
  open: { given: { path: string | null; key: Uint8Array | null }; answer: NativeOpenedSession };
  /** Restores the cells of an opened session. */
  restore: { given: { saved: number; session: number }; answer: null };
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
export type ToChild =
  | CallMessage
  /** Answered at once, whatever the child's native threads are doing. */
  | { readonly kind: "ping" }
  | {
      readonly kind: "submit";
      /** Without its grammar. */
      readonly request: NativeRequest;
      /** GBNF of the answer; empty: none. */
      readonly grammar: string;
    }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "end-reasoning"; readonly id: number }
  | { readonly kind: "listen"; readonly on: boolean }
  | { readonly kind: "release"; readonly hold: number }
  | { readonly kind: "close-session"; readonly saved: number }
  | { readonly kind: "forget"; readonly session: number }
  | Piece;

/** From the child. */
export type ToParent =
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
  | Piece;

/** Bytes that belong to a call, in order; `total` is the size of all its pieces. */
export interface Piece {
  readonly kind: "piece";
  readonly call: number;
  readonly total: number;
  readonly bytes: Uint8Array;
}

/** Sessions are sent in pieces, so that no single message blocks an event loop. Unit: bytes. */
const PIECE_BYTES = 2 ** 20;

/** Sends bytes in pieces, each after the previous one was sent. */
export async function sendPieces(
  call: number,
  bytes: Uint8Array,
  send: (piece: Piece) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    await send({
      kind: "piece",
      call,
      total: bytes.length,
      bytes: bytes.subarray(at, at + PIECE_BYTES),
    });
}

/** Joins pieces as they arrive. */
export class Pieces {
  #bytes: Buffer | undefined;
  #filled = 0;

  add({ total, bytes }: Piece): void {
    this.#bytes ??= Buffer.allocUnsafeSlow(total);
    this.#bytes.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** Returns all of them; empty if there were none. */
  take(): Uint8Array {
    const { buffer, byteOffset, length } = this.#bytes ?? Buffer.alloc(0);
    return new Uint8Array(buffer, byteOffset, length);
  }
}
