// Converts text to token ids and back, with the vocabulary of a loaded model. Synchronous, on the
// JavaScript thread that loaded the model: about 1 ms for 10,000 characters.
import { array, boolean, integer, knownKeys, object, refuse } from "../base/check.js";
import { tokenArray } from "../base/token-array.js";
import { fromNative } from "../base/errors.js";
import { loneSurrogate } from "../base/well-formed.js";
import type { RoleTokens } from "../base/types.js";
import type { NativeModel, NativeVocabInfo } from "../binding/native.js";
import { asR1Error, tokenizeInBackground, tokenizeNow } from "./tokenize.js";
import type { SegmentedText } from "./tokenize.js";

/** Options of {@link Tokenizer.encode}. */
export interface EncodeOptions {
  /**
   * true: special strings such as `<｜User｜>` become their ids, as in a raw prompt. false: the
   * result contains no special token, whatever the text is.
   * @defaultValue false
   */
  readonly special?: boolean | undefined;
}

/** The vocabulary of a model. An id is -1 if the file has no such token. */
export class Tokenizer {
  readonly #native: NativeModel;
  readonly #assertOpen: () => void;
  /** Number of tokens; valid ids are below it. */
  readonly size: number;
  /** Begin of sequence. */
  readonly bos: number;
  /** End of sequence. */
  readonly eos: number;
  /** Padding. */
  readonly pad: number;
  /** `<｜User｜>` */
  readonly user: number;
  /** `<｜Assistant｜>` */
  readonly assistant: number;
  /** `<think>` */
  readonly think: number;
  /** `</think>` */
  readonly endThink: number;
  /** Every id that ends a generation. */
  readonly endOfGeneration: ReadonlySet<number>;
  /**
   * The file's `tokenizer.ggml.add_bos_token`. r1-native puts exactly one BOS before R1's prompts
   * in either case.
   */
  readonly addsBos: boolean;

  /** @internal Created by the model. */
  constructor(
    native: NativeModel,
    vocab: NativeVocabInfo,
    roles: RoleTokens,
    assertOpen: () => void,
  ) {
    this.#native = native;
    this.#assertOpen = assertOpen;
    this.size = vocab.size;
    this.bos = roles.bos;
    this.eos = roles.eos;
    this.pad = roles.pad;
    this.user = roles.user;
    this.assistant = roles.assistant;
    this.think = roles.think;
    this.endThink = roles.endThink;
    this.endOfGeneration = new Set(vocab.endOfGeneration);
    this.addsBos = vocab.addBos;
    Object.freeze(this);
  }

  /**
   * Returns the ids of a text, without BOS and EOS. `decode` restores the text.
   *
   * Blocks the event loop meanwhile; {@link Tokenizer.encodeAsync} does not.
   *
   * @throws {R1Error} `INVALID_ARGUMENT` for a value that is not a string or that contains half a
   * character (a lone surrogate); `TEXT_TOO_LONG` above 2^26 UTF-16 code units; `DISPOSED` after
   * `close()`.
   */
  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const given = this.#textOf(text, options, "encode");
    return tokenArray(asR1Error(() => tokenizeNow(this.#native, given).tokens));
  }

  /**
   * Like {@link Tokenizer.encode}, but on a native thread: for texts longer than a few kilobytes.
   *
   * @throws {R1Error} rejects with the codes of `encode`.
   */
  async encodeAsync(text: string, options: EncodeOptions = {}): Promise<Int32Array> {
    const given = this.#textOf(text, options, "encodeAsync");
    const site = new Error();
    try {
      return tokenArray((await tokenizeInBackground(this.#native, given)).tokens);
    } catch (error) {
      throw fromNative(error, site);
    }
  }

  #textOf(text: string, options: EncodeOptions, where: string): SegmentedText {
    this.#assertOpen();
    knownKeys(object(options, "options"), where, ["special"]);
    const special = options.special === undefined ? false : boolean(options.special, "special");
    return { texts: [checkText(text, "text")], ids: Int32Array.of(-1), special };
  }

  /**
   * Returns the text of ids, with special tokens written out. Bytes that do not form a whole
   * character become U+FFFD.
   *
   * @throws {R1Error} `INVALID_ARGUMENT` for an id outside the vocabulary; `DISPOSED` after
   * `close()`.
   */
  decode(tokens: Int32Array | readonly number[]): string {
    this.#assertOpen();
    const ids = checkTokens(tokens, "tokens", this.size);
    return asR1Error(() => this.#native.detokenize(ids));
  }

  /**
   * Returns the text of ids as UTF-8. A single token may have a part of a character.
   *
   * @throws {R1Error} as `decode`.
   */
  decodeBytes(tokens: Int32Array | readonly number[]): Uint8Array {
    this.#assertOpen();
    const ids = checkTokens(tokens, "tokens", this.size);
    return asR1Error(() => this.#native.detokenizeBytes(ids));
  }
}

/** Whether an array's buffer was transferred to another thread. */
function isDetached({ buffer, length, byteLength }: Int32Array): boolean {
  if (length > 0 || byteLength > 0 || buffer instanceof SharedArrayBuffer) return false;
  try {
    buffer.slice(0, 0);
    return false;
  } catch {
    return true;
  }
}

/** Returns a text that UTF-8 can represent. @throws {R1Error} `INVALID_ARGUMENT` */
export function checkText(text: unknown, path: string): string {
  if (typeof text !== "string") refuse(path, "a string", text);
  if (loneSurrogate(text) >= 0)
    refuse(
      path,
      "whole characters (it has a lone surrogate; `text.toWellFormed()` repairs it)",
      text,
    );
  return text;
}

/** Returns a copy of valid ids, so that later changes by the caller have no effect. */
export function checkTokens(tokens: unknown, path: string, vocabSize: number): Int32Array {
  if (tokens instanceof Int32Array) {
    // A detached array has length 0 and cannot be copied.
    if (isDetached(tokens)) refuse(path, "an array whose buffer was not transferred", tokens);
    const copy = new Int32Array(tokens);
    // A plain loop: one function call per id takes several times as long for a million ids.
    let wrong = 0;
    while (
      wrong < copy.length &&
      (copy[wrong] as number) >= 0 &&
      (copy[wrong] as number) < vocabSize
    )
      wrong++;
    if (wrong < copy.length)
      refuse(`${path}[${wrong}]`, `an id below the vocabulary's ${vocabSize}`, copy[wrong]);
    return copy;
  }
  if (!Array.isArray(tokens)) refuse(path, "an Int32Array of token ids", tokens);
  const copy = new Int32Array(tokens.length);
  const isId = (id: unknown): boolean =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  let at = 0;
  while (at < copy.length && isId(tokens[at])) copy[at] = tokens[at++] as number;
  if (at === tokens.length) return copy;
  // Reports the index of the wrong id.
  return Int32Array.from(array(tokens, path, (id, at) => integer(id, at, 0, vocabSize - 1)));
}
