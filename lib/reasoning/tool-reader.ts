// Finds tool calls in the answer as it streams, and parses and checks them. Runs on the JavaScript
// thread that consumes the generation.
import type { ContentPart, ToolCall, ToolTagIds, ToolTags } from "../base/types.js";
import { CallStream, newCallId } from "./call-stream.js";
import type { AnswerReader } from "./segmenter.js";
import { partialTagLength } from "./tags.js";

/**
 * A tool that may be called: its name, and what is wrong with given arguments (undefined: nothing).
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

/** A name, then arguments in a fence or bare; undefined when it is anything else. */
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
 * Reads calls in R1's form: `<｜tool▁calls▁begin｜>`, then calls of
 * `<｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME`, a line break and a fenced block of JSON,
 * `<｜tool▁call▁end｜>`, then `<｜tool▁calls▁end｜>`. Each call becomes a part when its end has come. A
 * tag is told by its id where the vocabulary has one, so that the same letters spelt by other
 * tokens are text (docs/decisions/tool-tags.md), and by its text where it has none.
 *
 * What is wrong becomes a `tool-call-error` part with the text as generated: an unfinished call,
 * bad JSON, an unknown name, arguments that do not fit the schema, text between calls. White space
 * between calls is left out, and so is what has come of the tag that ends them when a stop string
 * cuts it. Text before and after the block is answer.
 *
 * With `deltas` a call of a known tool is also told while it is written: its start, then its
 * arguments, then the part of the whole call.
 */
export class ToolReader implements AnswerReader {
  readonly tokens: ReadonlyMap<number, string>;
  private readonly tools: ReadonlyMap<string, CallableTool>;
  private readonly names: ReadonlyMap<number, keyof ToolTags>;
  /** The tags that are told by their text. */
  private readonly texts: Partial<ToolTags>;
  private state: "text" | "calls" | "call" = "text";
  private buffer = "";
  /** Where the search in the buffer goes on. */
  private from = 0;
  /** Where in the buffer the separator stands, once its token has come; -1: it has not. */
  private separator = -1;
  /** Tells the call under way. */
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

  /** Tells what is new of the call under way; what could be the tag that ends it is none of it. */
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

  /** Goes on at a tag; one that means nothing here is text. */
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

  /** Takes one tag out of the buffer and what stands before it; false when more text is needed. */
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

  /** Takes the text of a call, with the place of its separator. */
  private call(body: string, separator: number): void {
    const raw = this.tags.toolCallBegin + body + this.tags.toolCallEnd;
    this.reportBody(body, separator);
    const made = this.parse(body, separator);
    if (typeof made === "string") this.fail(raw, made);
    else this.found.push({ type: "tool-call", call: made });
  }

  /** The call, or what is wrong with it. */
  private parse(body: string, separator: number): ToolCall | string {
    if (separator < 0) return "The tool call has no separator between its type and its name.";
    const kind = body.slice(0, separator).trim();
    const rest = body.slice(separator + this.tags.toolSep.length);
    // Later DeepSeek models leave the type out: the name stands before the separator and the
    // arguments after it.
    const isBare = kind !== "function" && rest.trimStart().startsWith("{");
    if (kind !== "function" && !isBare)
      return `The tool call's type is ${JSON.stringify(kind)}, not "function".`;
    const parsed = splitCall(isBare ? `${kind}\n${rest}` : rest);
    if (parsed === undefined) return "The tool call is not a name and a block of JSON.";
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
    if (problem !== undefined) return `The arguments of ${name} do not fit its schema: ${problem}.`;
    return Object.freeze({
      id: this.stream?.id ?? newCallId(),
      name,
      arguments: args,
    });
  }
}
