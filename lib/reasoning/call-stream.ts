// Returns the arguments of a tool call while they are still being generated. Runs on the JavaScript
// thread that consumes the generation.
import { randomUUID } from "node:crypto";
import type { ContentPart } from "../base/types.js";

/** Returns a unique id for a call, in OpenAI's format. */
export function newCallId(): string {
  return `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;
}

/** The text allowed between a name and its arguments, up to their opening brace. */
const OPENING = /^\s*(?:```(?:json)?\s*)?(?=\{)/;
/** The beginning of that text, when more may follow. */
const OPENING_SO_FAR = /^\s*(?:`{0,3}|```j(?:s(?:on?)?)?|```(?:json)?\s*)$/;

/**
 * One call while it grows: reports its name when that is complete and known, then its arguments
 * from the opening brace to the closing one. Any other text is left to the check of the complete
 * call.
 */
export class CallStream {
  /** The id of the call, once its start was reported. */
  id: string | undefined;
  private state: "name" | "opening" | "json" | "over" = "name";
  /** Offset in the call's text at which reading continues. */
  private at = 0;
  private depth = 0;
  private isInString = false;
  private isEscaped = false;

  /**
   * @param names - The names of the callable tools.
   * @param separator - The text between a call's type and its name.
   */
  constructor(
    private readonly names: ReadonlyMap<string, unknown>,
    private readonly separator: string,
  ) {}

  /**
   * @param body - The call's text so far, which only grows.
   * @param separatorAt - Offset of the separator in it; -1: not received yet.
   * @returns The new parts.
   */
  take(body: string, separatorAt: number): ContentPart[] {
    const parts: ContentPart[] = [];
    if (this.state === "name" && separatorAt >= 0) {
      const name = this.name(body, separatorAt);
      if (name !== undefined && this.names.has(name)) {
        this.id = newCallId();
        this.state = "opening";
        parts.push({ type: "tool-call-start", id: this.id, name });
      } else if (name !== undefined) this.state = "over";
    }
    if (this.state === "opening") {
      const rest = body.slice(this.at);
      const opening = OPENING.exec(rest);
      if (opening !== null) {
        this.at += opening[0].length;
        this.state = "json";
      } else if (!OPENING_SO_FAR.test(rest)) this.state = "over";
    }
    if (this.state === "json" && this.id !== undefined) {
      const text = this.json(body);
      if (text !== "") parts.push({ type: "tool-call-delta", id: this.id, text });
    }
    return parts;
  }

  /** Returns the name once its end has been received; empty if there cannot be one. */
  private name(body: string, separatorAt: number): string | undefined {
    const kind = body.slice(0, separatorAt).trim();
    const after = separatorAt + this.separator.length;
    if (kind !== "function") {
      // Later DeepSeek models write the name before the separator.
      this.at = after;
      return kind;
    }
    const found = /^\s*([\w.:/-]*)(.)?/su.exec(body.slice(after));
    if (found?.[2] === undefined) return undefined;
    this.at = after + found[0].length - found[2].length;
    return found[1] ?? "";
  }

  /** Returns the new text of the arguments, up to the brace that closes them. */
  private json(body: string): string {
    const from = this.at;
    for (; this.at < body.length && this.state === "json"; this.at++) {
      const unit = body[this.at];
      if (this.isEscaped) this.isEscaped = false;
      else if (this.isInString) {
        if (unit === "\\") this.isEscaped = true;
        else if (unit === '"') this.isInString = false;
      } else if (unit === '"') this.isInString = true;
      else if (unit === "{" || unit === "[") this.depth++;
      else if ((unit === "}" || unit === "]") && --this.depth === 0) this.state = "over";
    }
    return body.slice(from, this.at);
  }
}
