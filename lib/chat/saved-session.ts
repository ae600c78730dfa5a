// The format of a saved session: who made it, its turns, and the KV cells behind them, sealed with a SHA-256. Pure; runs on any JavaScript thread.
//
//   8 bytes "R1SESS\0\1" | u32 length of the head | the head, JSON in UTF-8 | u32 number of tokens | their ids, i32 | u64 length of the state | the state | SHA-256 of all before
//
// Numbers are little-endian.
import { createHash } from "node:crypto";
import { integer, object } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ChatMessage } from "../base/types.js";
import { checkMessages } from "../template/messages.js";

const MAGIC = Buffer.from("R1SESS\0\u0001", "latin1");
const SEAL_BYTES = 32;

/** What must be the same for cells to mean the same. */
export interface SessionMaker {
  /** Fingerprint of the model's files. */
  readonly model: string;
  readonly cacheTypeK: string;
  readonly cacheTypeV: string;
  readonly llamaVersion: string;
  /** Flash attention was off: without it V lies the other way round. */
  readonly flashAttentionOff: boolean;
  /** Options that change what a cell holds, as JSON. */
  readonly options: string;
}

/** A session at rest. */
export interface SavedSession {
  readonly maker: SessionMaker;
  readonly messages: readonly ChatMessage[];
  /** How many of the messages `reset()` goes back to. */
  readonly startLength: number;
  /** What the cells hold; empty: no cells were saved. */
  readonly tokens: Int32Array;
  readonly state: Uint8Array;
}

/** The bytes of a saved session, in pieces to be written one after the other. */
export function encodeSession(session: SavedSession): Uint8Array[] {
  const { maker, messages, startLength, tokens, state } = session;
  const head = Buffer.from(JSON.stringify({ maker, messages, startLength }));
  const ids = Buffer.alloc(8 + 4 * tokens.length);
  const start = Buffer.alloc(4);
  start.writeUInt32LE(head.length);
  ids.writeUInt32LE(tokens.length);
  tokens.forEach((id, i) => ids.writeInt32LE(id, 4 + 4 * i));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(state.length));
  const pieces = [MAGIC, start, head, ids.subarray(0, 4 + 4 * tokens.length), length, state];
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return [...pieces, hash.digest()];
}

function invalid(what: string): never {
  throw new R1Error(
    "STATE_INVALID",
    `This is no saved session that can be used: ${what}. Save it again.`,
  );
}

/**
 * @param bytes - All of a saved session.
 * @throws {R1Error} `STATE_INVALID` when it is none, cut, or altered.
 */
export function decodeSession(bytes: Uint8Array): SavedSession {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < MAGIC.length || !buffer.subarray(0, MAGIC.length).equals(MAGIC))
    invalid("it does not begin as one");
  if (buffer.length < MAGIC.length + 16 + SEAL_BYTES) invalid("it is cut");
  const body = buffer.subarray(0, buffer.length - SEAL_BYTES);
  if (!createHash("sha256").update(body).digest().equals(buffer.subarray(body.length)))
    invalid("it is cut or was altered, for its checksum is wrong");
  let at = MAGIC.length;
  const take = (length: number): Buffer => {
    if (at + length > body.length) invalid("its lengths contradict each other");
    return body.subarray(at, (at += length));
  };
  const head = take(take(4).readUInt32LE()).toString("utf8");
  const count = take(4).readUInt32LE();
  const ids = take(4 * count);
  const state = take(Number(take(8).readBigUInt64LE()));
  if (at !== body.length) invalid("its lengths contradict each other");
  return {
    ...readHead(head),
    tokens: Int32Array.from({ length: count }, (_, i) => ids.readInt32LE(4 * i)),
    state,
  };
}

function readHead(text: string): Pick<SavedSession, "maker" | "messages" | "startLength"> {
  try {
    const { maker, messages, startLength } = object(JSON.parse(text), "session");
    const turns =
      Array.isArray(messages) && messages.length === 0
        ? []
        : checkMessages(messages, { mayEndInCalls: true });
    return {
      maker: object(maker, "maker") as unknown as SessionMaker,
      messages: turns,
      startLength: integer(startLength, "startLength", 0, turns.length),
    };
  } catch {
    return invalid("its header says nothing that a session could be");
  }
}

/** @throws {R1Error} `STATE_MISMATCH` at the first thing that differs. */
export function assertSameMaker(saved: SessionMaker, here: SessionMaker): void {
  const names: Record<keyof SessionMaker, string> = {
    model: "model file",
    cacheTypeK: "cacheTypeK",
    cacheTypeV: "cacheTypeV",
    llamaVersion: "version of llama.cpp",
    flashAttentionOff: "flash attention setting",
    options: "rope options or metadata overrides",
  };
  for (const [key, name] of Object.entries(names) as [keyof SessionMaker, string][]) {
    if (saved[key] === here[key]) continue;
    throw new R1Error(
      "STATE_MISMATCH",
      `The saved session was made with another ${name} (${String(saved[key])}) than this model has (${String(here[key])}). Restore it with what made it.`,
      {
        details: { what: key, saved: saved[key], here: here[key] },
      },
    );
  }
}
