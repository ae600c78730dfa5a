// Hands out the arguments of a tool call while they are still being written. Runs on the JavaScript
// thread that consumes the generation.
import { randomUUID } from "node:crypto";
import type { ContentPart } from "../base/types.js";

/** An id for a call: unique, and in the form of OpenAI's. */
export function newCallId(): string {
  return `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;
}

/** What may stand between a name and its arguments, up to their opening brace. */
const OPENING = /^\s*(?:```(?:json)?\s*)?(?=\{)/;
/** The beginning of that, with more to come. */
const OPENING_SO_FAR = /^\s*(?:`{0,3}|```j(?:s(?:on?)?)?|```(?:json)?\s*)$/;

/**
 * One call as it grows: tells its name once that is whole and known, then its arguments from their
 * opening brace to the closing one. What stands there otherwise is left to the check of the whole
 * call, which sees it all.
 */
export class CallStream {
  /** The id that the call gets, once its start was handed out. */
  id: string | undefined;
  private state: "name" | "opening" | "json" | "over" = "name";
  /** Where in the call's text reading goes on. */
  private at = 0;
  private depth = 0;
  private isInString = false;
  private isEscaped = false;

  /**
   * @param names - The tools that may be called.
   * @param separator - The text between a call's type and its name.
   */
  constructor(
    private readonly names: ReadonlyMap<string, unknown>,
    private readonly separator: string,
  ) {}

  /**
   * @param body - The call's text so far, which only grows.
   * @param separatorAt - Where in it the separator stands; -1: it has not come.
   * @returns What is new.
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

  /** The name, once whatever ends it has come; empty when there can be none. */
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

  /** What has come of the arguments since, up to the brace that closes them. */
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
