// Finds tool calls in the streamed answer, and parses and checks them. Runs on the JavaScript
// thread that consumes the generation.
import type { ContentPart, ToolCall, ToolTagIds, ToolTags } from "../base/types.js";
import { CallStream, newCallId } from "./call-stream.js";
import type { AnswerReader } from "./segmenter.js";
import { partialTagLength } from "./tags.js";

/**
 * A callable tool: its name, and a check that returns what is wrong with given arguments
 * (undefined: nothing).
 */
export interface CallableTool {
  readonly name: string;
  readonly check: (args: unknown) => string | undefined;
}

const NAMES = [
  "toolCallsBegin",
  "toolCallsEnd",
  "toolCallBegin",
  "toolCallEnd",
  "toolSep",
] as const satisfies readonly (keyof ToolTags)[];

const FENCE = "```";

/** Returns a name and arguments, fenced or bare; undefined for anything else. */
function splitCall(text: string): { name: string; json: string } | undefined {
  const trimmed = text.trim();
  const name = /^[\w.:/-]+/.exec(trimmed)?.[0];
  if (name === undefined) return undefined;
  const rest = trimmed.slice(name.length).trimStart();
  if (rest.startsWith("{")) return { name, json: rest };
  const opening = rest.startsWith(`${FENCE}json`) ? FENCE.length + "json".length : FENCE.length;
  if (!rest.startsWith(FENCE) || !rest.endsWith(FENCE) || rest.length < opening + FENCE.length)
    return undefined;
  return { name, json: rest.slice(opening, -FENCE.length) };
}

/**
 * Reads calls in R1's format: `<｜tool▁calls▁begin｜>`, then calls of
 * `<｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME`, a line break and a fenced block of JSON,
 * `<｜tool▁call▁end｜>`, then `<｜tool▁calls▁end｜>`. Each call becomes a part when its end has
 * arrived. A tag is detected by its id if the vocabulary has one, so that the same letters spelt by
 * other tokens are text (docs/decisions/tool-tags.md), and otherwise by its text.
 *
 * Errors become a `tool-call-error` part with the text as generated: an unfinished call, bad JSON,
 * an unknown name, arguments that do not match the schema, text between calls. White space between
 * calls is left out, and so is the beginning of their end tag when a stop string cuts it off. Text
 * before and after the block is answer.
 *
 * With `deltas` a call of a known tool is also reported while it is being generated: its start,
 * then its arguments, then the part of the complete call.
 */
export class ToolReader implements AnswerReader {
  readonly tokens: ReadonlyMap<number, string>;
  private readonly tools: ReadonlyMap<string, CallableTool>;
  private readonly names: ReadonlyMap<number, keyof ToolTags>;
  /** The tags that are detected by their text. */
  private readonly texts: Partial<ToolTags>;
  private state: "text" | "calls" | "call" = "text";
  private buffer = "";
  /** Offset in the buffer at which the search continues. */
  private from = 0;
  /** Offset of the separator in the buffer; -1: its token has not arrived. */
  private separator = -1;
  /** Streams the current call. */
  private stream: CallStream | undefined;
  private found: (string | ContentPart)[] = [];

  constructor(
    tools: readonly CallableTool[],
    private readonly tags: ToolTags,
    ids: ToolTagIds = {},
    private readonly deltas = false,
  ) {
    this.tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.names = new Map(
      NAMES.flatMap((name) =>
        (ids[name] ?? -1) < 0 ? [] : [[ids[name] as number, name] as const],
      ),
    );
    this.tokens = new Map([...this.names].map(([id, name]) => [id, tags[name]]));
    const byId = new Set(this.names.values());
    this.texts = Object.fromEntries(
      NAMES.filter((name) => !byId.has(name)).map((name) => [name, tags[name]]),
    );
  }

  push(text: string): (string | ContentPart)[] {
    this.buffer += text;
    while (this.step());
    this.reportCall();
    return this.take();
  }

  token(token: number): (string | ContentPart)[] {
    const name = this.names.get(token);
    if (name !== undefined) this.tag(name);
    this.reportCall();
    return this.take();
  }

  end(): (string | ContentPart)[] {
    if (this.state === "call")
      this.fail(this.tags.toolCallBegin + this.buffer, "The generation ended inside a tool call.");
    else if (this.state === "calls")
      this.stray(
        this.buffer.slice(
          0,
          this.buffer.length - partialTagLength(this.buffer, this.tags.toolCallsEnd),
        ),
      );
    else this.text(this.buffer);
    this.buffer = "";
    return this.take();
  }

  private take(): (string | ContentPart)[] {
    const found = this.found;
    this.found = [];
    return found;
  }

  private text(text: string): void {
    if (text !== "") this.found.push(text);
  }

  private fail(text: string, message: string): void {
    const id = this.stream?.id;
    this.found.push({
      type: "tool-call-error",
      text,
      message,
      ...(id === undefined ? {} : { id }),
    });
  }

  /** Reports what is new in the current call, except text that could be the tag that ends it. */
  private reportCall(): void {
    if (this.state !== "call" || this.stream === undefined) return;
    const { toolCallEnd, toolSep } = this.texts;
    const tag = toolCallEnd === undefined ? 0 : partialTagLength(this.buffer, toolCallEnd);
    this.reportBody(
      this.buffer.slice(0, this.buffer.length - tag),
      toolSep === undefined ? this.separator : this.buffer.indexOf(toolSep),
    );
  }

  private reportBody(body: string, separator: number): void {
    this.found.push(...(this.stream?.take(body, separator) ?? []));
  }

  private stray(text: string): void {
    if (text.trim() !== "") this.fail(text, "There is text between tool calls.");
  }

  /** Processes a tag; one that has no meaning here is text. */
  private tag(name: keyof ToolTags): void {
    const before = this.buffer;
    if (this.state === "call") {
      if (name === "toolCallEnd") {
        this.call(
          before,
          this.texts.toolSep === undefined ? this.separator : before.indexOf(this.texts.toolSep),
        );
        this.cut(before.length, "calls");
        return;
      }
      if (name === "toolSep" && this.separator < 0) this.separator = before.length;
    } else if (
      name === "toolCallBegin" ||
      name === (this.state === "text" ? "toolCallsBegin" : "toolCallsEnd")
    ) {
      if (this.state === "text") this.text(before);
      else this.stray(before);
      this.cut(
        before.length,
        name === "toolCallBegin" ? "call" : name === "toolCallsBegin" ? "calls" : "text",
      );
      return;
    }
    if (this.state === "text") {
      this.text(before + this.tags[name]);
      this.cut(before.length, "text");
    } else this.buffer += this.tags[name];
  }

  /**
   * Removes one tag from the buffer, and the text before it; returns false when more text is
   * needed.
   */
  private step(): boolean {
    const { toolCallsBegin, toolCallsEnd, toolCallBegin, toolCallEnd, toolSep } = this.texts;
    if (this.state === "call") {
      if (toolCallEnd === undefined) return false;
      const at = this.buffer.indexOf(toolCallEnd, this.from);
      this.from = Math.max(0, this.buffer.length - toolCallEnd.length + 1);
      if (at < 0) return false;
      const body = this.buffer.slice(0, at);
      this.call(body, toolSep === undefined ? this.separator : body.indexOf(toolSep));
      this.cut(at + toolCallEnd.length, "calls");
      return true;
    }
    const tags = (
      this.state === "text" ? [toolCallsBegin, toolCallBegin] : [toolCallBegin, toolCallsEnd]
    ).filter((tag) => tag !== undefined);
    const hit = this.first(tags);
    if (hit !== undefined) {
      const before = this.buffer.slice(0, hit.at);
      if (this.state === "text") this.text(before);
      else this.stray(before);
      this.cut(
        hit.at + hit.tag.length,
        hit.tag === toolCallBegin ? "call" : hit.tag === toolCallsBegin ? "calls" : "text",
      );
      return true;
    }
    if (this.state === "text") {
      const kept = Math.max(0, ...tags.map((tag) => partialTagLength(this.buffer, tag)));
      this.text(this.buffer.slice(0, this.buffer.length - kept));
      this.buffer = this.buffer.slice(this.buffer.length - kept);
    } else
      this.from = Math.max(
        0,
        this.buffer.length - Math.max(0, ...tags.map((tag) => tag.length)) + 1,
      );
    return false;
  }

  private first(tags: readonly string[]): { at: number; tag: string } | undefined {
    const hits = tags
      .map((tag) => ({ at: this.buffer.indexOf(tag, this.from), tag }))
      .filter((hit) => hit.at >= 0);
    return hits.sort((a, b) => a.at - b.at)[0];
  }

  private cut(length: number, state: "text" | "calls" | "call"): void {
    this.buffer = this.buffer.slice(length);
    this.from = 0;
    this.separator = -1;
    this.state = state;
    this.stream =
      state === "call" && this.deltas ? new CallStream(this.tools, this.tags.toolSep) : undefined;
  }

  /** Processes the text of a call, with the offset of its separator. */
  private call(body: string, separator: number): void {
    const raw = this.tags.toolCallBegin + body + this.tags.toolCallEnd;
    this.reportBody(body, separator);
    const made = this.parse(body, separator);
    if (typeof made === "string") this.fail(raw, made);
    else this.found.push({ type: "tool-call", call: made });
  }

  /** Returns the call, or what is wrong with it. */
  private parse(body: string, separator: number): ToolCall | string {
    if (separator < 0) return "The tool call has no separator between its type and its name.";
    const kind = body.slice(0, separator).trim();
    const rest = body.slice(separator + this.tags.toolSep.length);
    // Later DeepSeek models leave the type out: the name is before the separator and the arguments
    // after it.
    const isBare = kind !== "function" && rest.trimStart().startsWith("{");
    if (kind !== "function" && !isBare)
      return `The tool call's type is ${JSON.stringify(kind)}, not "function".`;
    const parsed = splitCall(isBare ? `${kind}\n${rest}` : rest);
    if (parsed === undefined)
      return "The tool call does not consist of a name and a block of JSON.";
    const { name, json } = parsed;
    const tool = this.tools.get(name);
    if (tool === undefined)
      return `There is no tool named ${JSON.stringify(name)}; the tools are ${[...this.tools.keys()].join(", ")}.`;
    let args: unknown;
    try {
      args = JSON.parse(json);
    } catch (error) {
      return `The arguments of ${name} are not JSON: ${error instanceof Error ? error.message : String(error)}.`;
    }
    const problem = tool.check(args);
    if (problem !== undefined)
      return `The arguments of ${name} do not match its schema: ${problem}.`;
    return Object.freeze({
      id: this.stream?.id ?? newCallId(),
      name,
      arguments: args,
    });
  }
}
