// The front part of a saved session: its origin and its turns, checked when they are read.
// native/core/engine/saved_session.h describes the whole format and reads the rest.
import { boolean, integer, object, string } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ChatMessage } from "../base/types.js";
import type { ModelInfo } from "./info.js";
import { checkMessages } from "../template/messages.js";

/** Format 2: sealed by native code; its cells belong to the session that restores them. */
const MAGIC = Buffer.from("R1SESS\0\u0002", "latin1");
/** Maximum bytes of turns; native code refuses more. */
const MAX_HEAD_BYTES = 8 * 2 ** 20;

/** The values that must be equal for cells to be valid. */
export interface SessionMaker {
  /** Fingerprint of the model's files. */
  readonly model: string;
  readonly cacheTypeK: string;
  readonly cacheTypeV: string;
  readonly llamaVersion: string;
  /** Whether flash attention was off: V is then stored transposed. */
  readonly flashAttentionOff: boolean;
  /** Options that change the contents of a cell, as JSON. */
  readonly options: string;
}

/**
 * Returns the values that a loaded model's cells depend on.
 *
 * @param model - Fingerprint of its files.
 * @param options - Options that change the contents of a cell, as JSON.
 */
export function sessionMaker(
  { cache, llamaVersion, flashAttention }: ModelInfo,
  model: string,
  options: string,
): SessionMaker {
  return {
    model,
    cacheTypeK: cache.typeK,
    cacheTypeV: cache.typeV,
    llamaVersion,
    flashAttentionOff: flashAttention === "off",
    options,
  };
}

/** The header of a saved session: everything except its cells. */
export interface SessionHead {
  readonly maker: SessionMaker;
  readonly messages: readonly ChatMessage[];
  /** The number of messages that `reset()` keeps. */
  readonly startLength: number;
}

function headText({ maker, messages, startLength }: SessionHead): string {
  const { model, cacheTypeK, cacheTypeV, llamaVersion, flashAttentionOff, options } = maker;
  return JSON.stringify({
    maker: { model, cacheTypeK, cacheTypeV, llamaVersion, flashAttentionOff, options },
    messages,
    startLength,
  });
}

/**
 * Returns all bytes of a saved session up to the length of its cells.
 *
 * @param tokens - The tokens of the cells; empty: no cells are saved.
 * @throws {R1Error} `TEXT_TOO_LONG` when its messages take more bytes than can be read back.
 */
export function encodeFront(head: SessionHead, tokens: Int32Array): Uint8Array {
  const text = Buffer.from(headText(head));
  if (text.length > MAX_HEAD_BYTES) {
    throw new R1Error(
      "TEXT_TOO_LONG",
      `The messages of this session take ${text.length} bytes, but a saved session can hold ` +
        `at most ${MAX_HEAD_BYTES}. Start a new session with the turns that are still needed.`,
      { details: { bytes: text.length, limit: MAX_HEAD_BYTES } },
    );
  }
  const at = MAGIC.length + 4 + text.length;
  const front = Buffer.alloc(at + 4 + 4 * tokens.length);
  MAGIC.copy(front);
  front.writeUInt32LE(text.length, MAGIC.length);
  text.copy(front, MAGIC.length + 4);
  front.writeUInt32LE(tokens.length, at);
  tokens.forEach((id, i) => front.writeInt32LE(id, at + 4 + 4 * i));
  return front;
}

/** @throws {R1Error} when something is missing or of another type. */
function readMaker(value: unknown): SessionMaker {
  const maker = object(value, "maker");
  const { flashAttentionOff, ...others } = maker;
  boolean(flashAttentionOff, "maker.flashAttentionOff");
  for (const name of ["model", "cacheTypeK", "cacheTypeV", "llamaVersion", "options"])
    string(others[name], `maker.${name}`, true);
  return maker as unknown as SessionMaker;
}

/**
 * Reads the header, which may be untrusted: it must be exactly what `encodeFront` writes, with
 * messages that `checkMessages` accepts.
 *
 * @throws {R1Error} `STATE_INVALID`
 */
export function decodeHead(text: string): SessionHead {
  try {
    const { maker, messages, startLength } = object(JSON.parse(text), "session");
    const turns = Array.isArray(messages) && messages.length === 0 ? [] : checkMessages(messages);
    const head: SessionHead = {
      maker: readMaker(maker),
      messages: turns,
      startLength: integer(startLength, "startLength", 0, turns.length),
    };
    // Nothing is duplicated, unknown, or written in another way.
    if (headText(head) === text) return head;
  } catch {
    // Reported below.
  }
  throw new R1Error(
    "STATE_INVALID",
    "This is not a valid saved session: its header does not describe a session. Save it again.",
  );
}

/** @throws {R1Error} `STATE_MISMATCH` for the first difference. */
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
      `The saved session was made with another ${name} (${short(saved[key])}) than this ` +
        `model has (${short(here[key])}). Restore it with the original one.`,
      {
        details: { what: key, saved: saved[key], here: here[key] },
      },
    );
  }
}

/** A text of the file may have any length. */
function short(value: string | boolean): string {
  const text = `${value}`;
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
