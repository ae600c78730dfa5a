// Splits a stream of token events into reasoning and answer, in O(n), and flushes at the end. Runs
// on the JavaScript thread that consumes the generation.
import type { ContentPart, TokenLogprob, ToolCall } from "../base/types.js";
import { partialTagLength, trailingLineBreaks } from "./tags.js";

/**
 * Searches the answer for parts that are not answer text, such as tool calls. The texts it returns,
 * together with the text it removes, are its complete input.
 */
export interface AnswerReader {
  /** Tokens that are passed by id and not as text, with the text of each. */
  readonly tokens: ReadonlyMap<number, string>;
  /**
   * Reads more of the answer; returns answer text and finished parts, in order. May hold text back.
   */
  push(text: string): (string | ContentPart)[];
  /** Reads one of its `tokens` at its position in the answer. */
  token(token: number): (string | ContentPart)[];
  /** Ends the answer: returns the text that was held back. */
  end(): (string | ContentPart)[];
}

/** What a {@link Segmenter} needs to know about the vocabulary and the prompt. */
export interface SegmenterInit {
  /** Id of `<think>`; -1: the vocabulary has none, and the tag is detected by its text. */
  readonly think: number;
  /** Id of `</think>`; -1: as above. */
  readonly endThink: number;
  /** The prompt ends inside an open reasoning block. */
  readonly startsInReasoning: boolean;
  /**
   * The prompt ends in `</think>`: all text is answer, and line breaks at its start are next to
   * that tag.
   * @defaultValue false
   */
  readonly startsAfterReasoning?: boolean | undefined;
  /**
   * The prompt ends inside the assistant's text, in its reasoning or in its answer: the first text
   * belongs to it, including line breaks.
   * @defaultValue false
   */
  readonly continuesText?: boolean | undefined;
  /** The spelling of the tags in the vocabulary. @defaultValue `<think>` and `</think>` */
  readonly thinkText?: string | undefined;
  readonly endThinkText?: string | undefined;
  /** The reader that searches the answer, e.g. for tool calls. @defaultValue nothing */
  readonly reader?: AnswerReader | undefined;
}

type Block = "reasoning" | "answer";

/** A received token. */
interface Token {
  readonly id: number;
  readonly logprob: TokenLogprob | undefined;
}

type State = "before" | Block;

/**
 * A tag's text may arrive this much later than its token, because the engine holds text that could
 * begin a stop string. Unit: UTF-16 code units.
 */
const TAG_TEXT_WAIT = 1024;

/**
 * One reasoning block, then one answer. The block starts with the prompt, or with the first
 * `<think>` that only white space precedes; it ends with the first `</think>` after that. Any other
 * tag is text of its block, so nothing is lost: a `<think>` in the reasoning or in the answer, a
 * `</think>` in the answer. Without an opening tag everything is answer.
 *
 * Both texts leave out the two tags, white space before the opening one, and line breaks next to a
 * tag. Line breaks at the end of a reasoning that never closed are kept. The concatenated deltas of
 * each kind are exactly {@link Segmenter.reasoning} and {@link Segmenter.answer}. A delta's
 * `tokens` are those whose text begins in it.
 */
export class Segmenter {
  private readonly tags: Readonly<
    Record<"before" | "reasoning", { readonly id: number; readonly text: string }>
  >;
  private readonly reader: AnswerReader | undefined;
  /** The state of the text. */
  private state: State;
  /** The state of the tokens: ahead of `state` while the text of a tag has not arrived. */
  private ahead: State;
  /** Tags whose token has arrived but not their text, and the text since then. */
  private awaited: Token[] = [];
  private late = "";
  /**
   * Text that could begin a tag, when tags are detected by text, and the number of tokens since it
   * was empty.
   */
  private partial = "";
  private partialTokens = 0;
  /** White space before the first block, or line breaks that may precede a closing tag. */
  private held = "";
  /** Line breaks that follow are directly after a tag. */
  private afterTag: boolean;
  private opened: Block | undefined;
  private tokens: Token[] = [];
  private hasLogprobs = false;
  private readonly texts: Record<Block, string> = { reasoning: "", answer: "" };
  private readonly calls: ToolCall[] = [];
  private thinking = 0;
  private parts: ContentPart[] = [];

  constructor(init: SegmenterInit) {
    this.tags = {
      before: { id: init.think, text: init.thinkText ?? "<think>" },
      reasoning: { id: init.endThink, text: init.endThinkText ?? "</think>" },
    };
    this.reader = init.reader;
    this.state = init.startsInReasoning
      ? "reasoning"
      : init.startsAfterReasoning === true || init.continuesText === true
        ? "answer"
        : "before";
    this.ahead = this.state;
    this.afterTag = this.state !== "before" && init.continuesText !== true;
  }

  /** All reasoning so far. */
  get reasoning(): string {
    return this.texts.reasoning;
  }

  /** All of the answer so far. */
  get answer(): string {
    return this.texts.answer;
  }

  /** Tokens of the reasoning so far, including its tags. */
  get reasoningTokens(): number {
    return this.thinking;
  }

  /** Tool calls that the reader found so far. */
  get toolCalls(): readonly ToolCall[] {
    return this.calls;
  }

  /**
   * Processes one token event and returns the parts that result.
   *
   * @param id - Its id.
   * @param text - Its text from the engine: whole characters, possibly empty, possibly with text of
   * earlier tokens before its own.
   * @param logprob - Its log probability, for the delta that contains it.
   */
  push(id: number, text: string, logprob?: TokenLogprob): ContentPart[] {
    const token = { id, logprob };
    this.hasLogprobs ||= logprob !== undefined;
    if (this.state === "reasoning") this.open("reasoning");
    const tag = this.ahead === "answer" ? undefined : this.tags[this.ahead];
    if (this.ahead === "reasoning") this.thinking++;
    const isTag = tag !== undefined && tag.id >= 0 && tag.id === id;
    if (isTag) {
      if (this.ahead === "before") this.thinking++;
      this.ahead = this.ahead === "before" ? "reasoning" : "answer";
      this.awaited.push(token);
    } else this.tokens.push(token);
    const isRead = !isTag && this.reader?.tokens.has(id) === true;
    if (isRead) this.awaited.push(token);
    this.late += text;
    this.settle(isTag || isRead);
    return this.drain();
  }

  /** Ends the stream: returns the text that was held back, and closes open blocks. Call once. */
  end(): ContentPart[] {
    if (this.state === "reasoning") this.open("reasoning");
    // If a stop string ends inside a tag, only the beginning of the tag has arrived; its token
    // represents it.
    const { late, awaited } = this;
    const whole =
      late.length -
      (awaited[0] === undefined ? 0 : partialTagLength(late, this.tagText(awaited[0].id)));
    this.late = "";
    this.take(late.slice(0, whole));
    awaited.forEach((token, i) => this.pass(token, i === 0 ? late.slice(whole) : ""));
    this.write(this.partial);
    if (this.held !== "") this.emit(this.state === "reasoning" ? "reasoning" : "answer", this.held);
    if (this.state === "answer") this.relay(this.reader?.end() ?? []);
    this.close();
    return this.drain();
  }

  private drain(): ContentPart[] {
    const parts = this.parts;
    this.parts = [];
    return parts;
  }

  /** Passes on the received text, split at the tags whose tokens have arrived. */
  private settle(isNewest: boolean): void {
    for (let token = this.awaited[0]; token !== undefined; token = this.awaited[0]) {
      const text = this.tagText(token.id);
      // A tag that is the newest token ends the text; the same letters before it were spelt by
      // ordinary tokens.
      const at =
        isNewest && this.awaited.length === 1 && this.late.endsWith(text)
          ? this.late.length - text.length
          : this.late.indexOf(text);
      if (at < 0 && this.late.length <= TAG_TEXT_WAIT) return;
      const before = at < 0 ? "" : this.late.slice(0, at);
      this.late = at < 0 ? this.late : this.late.slice(at + text.length);
      this.take(before);
      this.awaited.shift();
      this.pass(token, at < 0 ? "" : text);
    }
    const text = this.late;
    this.late = "";
    this.take(text);
  }

  private tagText(id: number): string {
    return id === this.tags.before.id
      ? this.tags.before.text
      : (this.reader?.tokens.get(id) ?? this.tags.reasoning.text);
  }

  /**
   * Continues with the next block at a tag, or writes the tag as text if it opens or closes nothing
   * here.
   */
  private pass(token: Token, text: string): void {
    const fits = this.state !== "answer" && this.tags[this.state].id === token.id;
    if (fits) this.turn();
    else if (this.reader?.tokens.has(token.id) === true) this.read(this.reader, token.id, text);
    else {
      // Text preceded the opening tag: the tokens counted as reasoning were answer.
      this.tokens.push(token);
      this.ahead = "answer";
      this.thinking = 0;
      this.write(text);
    }
  }

  /** Passes a token to the reader; in the reasoning, which has no reader, it is text. */
  private read(reader: AnswerReader, token: number, text: string): void {
    // Text that could have begun a tag was not one: a separate token follows it.
    const broken = this.partial;
    this.partial = "";
    this.write(broken);
    if (this.state === "reasoning") {
      this.write(text);
      return;
    }
    if (this.state === "before") {
      this.state = "answer";
      if (this.awaited.length === 0) this.ahead = "answer";
      this.relay(this.held === "" ? [] : reader.push(this.held));
      this.held = "";
    }
    this.afterTag = false;
    this.relay(reader.token(token));
  }

  /** Switches from `before` to the reasoning, or from the reasoning to the answer. */
  private turn(): void {
    this.held = "";
    this.tokens = [];
    this.afterTag = true;
    this.open("reasoning");
    if (this.state === "before") this.state = "reasoning";
    else {
      this.close();
      this.state = "answer";
    }
    if (this.awaited.length === 0) this.ahead = this.state;
  }

  /** Reads text that may contain tags without an id. */
  private take(text: string): void {
    let rest = text;
    while (this.state !== "answer" && this.tags[this.state].id < 0) {
      const tag = this.tags[this.state].text;
      const all = this.partial + rest;
      const at = all.indexOf(tag);
      if (at < 0) {
        const length = partialTagLength(all, tag);
        this.partial = all.slice(all.length - length);
        this.partialTokens = length > 0 ? this.partialTokens + 1 : 0;
        this.write(all.slice(0, all.length - length));
        if ((this.state as State) !== "answer") return;
        rest = this.partial;
        this.partial = "";
        break;
      }
      this.partial = "";
      this.write(all.slice(0, at));
      rest = all.slice(at + tag.length);
      if ((this.state as State) === "answer") {
        this.write(tag);
        break;
      }
      if (this.state === "before") this.thinking += this.partialTokens + 1;
      this.partialTokens = 0;
      const current = this.tokens.at(-1);
      this.turn();
      if (rest !== "" && current !== undefined) this.tokens = [current];
    }
    this.write(rest);
  }

  /** Writes text into the current block. */
  private write(text: string): void {
    if (text === "") return;
    if (this.state === "before") {
      this.held += text;
      if (!/\S/.test(text)) return;
      this.state = "answer";
      if (this.awaited.length === 0) this.ahead = "answer";
      text = this.held;
      this.held = "";
    } else if (this.afterTag) {
      text = text.replace(/^[\r\n]+/, "");
      if (text === "") return;
    }
    this.afterTag = false;
    if (this.state === "answer")
      this.relay(this.reader === undefined ? [text] : this.reader.push(text));
    else {
      const kept = text.length - trailingLineBreaks(text);
      if (kept > 0) this.emit("reasoning", this.held + text.slice(0, kept));
      this.held = kept > 0 ? text.slice(kept) : this.held + text;
    }
  }

  /** Passes on what the reader found in the answer. */
  private relay(found: readonly (string | ContentPart)[]): void {
    for (const piece of found) {
      if (typeof piece === "string") this.emit("answer", piece);
      else {
        if (piece.type === "tool-call") this.calls.push(piece.call);
        this.parts.push(piece);
        // Their text is not part of the answer.
        this.tokens = [];
      }
    }
  }

  private emit(block: Block, text: string): void {
    if (text === "") return;
    this.open(block);
    this.texts[block] += text;
    const tokens = this.tokens.map(({ id }) => id);
    const logprobs = this.hasLogprobs
      ? { logprobs: this.tokens.flatMap(({ logprob }) => logprob ?? []) }
      : {};
    this.parts.push({ type: `${block}-delta`, text, tokens, ...logprobs });
    this.tokens = [];
  }

  private open(block: Block): void {
    if (this.opened === block) return;
    this.opened = block;
    this.parts.push({ type: `${block}-start` });
  }

  private close(): void {
    if (this.opened !== undefined) this.parts.push({ type: `${this.opened}-end` });
    this.opened = undefined;
  }
}
