// The grammar of a forced tool call: R1's format, with arguments that match the tool's schema.
// Pure.
import type { ToolTagIds, ToolTags } from "../base/types.js";
import {
  alt,
  charRanges,
  chars,
  intersect,
  invert,
  ref,
  repeat,
  seq,
  text,
  type GrammarNode,
} from "./grammar.js";
import { MAX_WORK } from "./schema/compiler.js";
import { finishRules, schemaRules } from "./schema/schema-grammar.js";

/** A tool whose call may be forced. */
export interface ForcedTool {
  readonly name: string;
  /** JSON Schema of its arguments. */
  readonly parameters: unknown;
}

/** Maximum calls in a forced answer if any tool may be called. */
const MAX_CALLS = 16;

function renamed(node: GrammarNode, prefix: string): GrammarNode {
  if (node.kind === "ref") return ref(prefix + node.name);
  if (node.kind === "repeat") return { ...node, node: renamed(node.node, prefix) };
  return node.kind === "seq" || node.kind === "alt"
    ? { kind: node.kind, nodes: node.nodes.map((each) => renamed(each, prefix)) }
    : node;
}

/** The bar character in every tool tag. */
const BAR = 0xff5c;
const BAR_ESCAPED = "\\uff5c";

/**
 * JSON in which no string contains a literal tag: its bars are escaped, so that nothing in an
 * argument reads as the end of the call.
 */
function withoutTags(node: GrammarNode): GrammarNode {
  if (node.kind === "text")
    return text(node.text.replaceAll(String.fromCharCode(BAR), BAR_ESCAPED));
  if (node.kind === "chars") {
    const ranges = intersect(node.ranges, invert([[BAR, BAR]]));
    return ranges.length === 0 && node.ranges.length > 0 ? text(BAR_ESCAPED) : charRanges(ranges);
  }
  if (node.kind === "repeat") return { ...node, node: withoutTags(node.node) };
  return node.kind === "seq" || node.kind === "alt"
    ? { kind: node.kind, nodes: node.nodes.map(withoutTags) }
    : node;
}

/**
 * Creates the GBNF of an answer that consists only of tool calls: exactly one if one tool is given,
 * otherwise one to sixteen. Arguments must be objects; the bar ｜ of the tool tags is escaped in
 * them. If the vocabulary has an id for a tag ({@link ToolTagIds}), the tag must be that token.
 *
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` with the path of a schema that a grammar cannot express.
 */
export function toolGrammar(
  tools: readonly ForcedTool[],
  texts: ToolTags,
  ids: ToolTagIds = {},
  path = "tools",
  maxWork = MAX_WORK,
): string {
  const tag = (name: keyof ToolTags): GrammarNode => {
    const id = ids[name] ?? -1;
    return id < 0 ? text(texts[name]) : { kind: "token", source: `<[${id}]>` };
  };
  const rules = new Map<string, GrammarNode>();
  const calls = tools.map((tool, i) => {
    const prefix = `t${i}-`;
    const schema =
      typeof tool.parameters === "object" && tool.parameters !== null
        ? { ...tool.parameters, type: "object" }
        : tool.parameters;
    for (const [name, node] of schemaRules(schema, `${path}[${i}].function.parameters`, maxWork))
      rules.set(prefix + name, withoutTags(renamed(node, prefix)));
    const head = [
      tag("toolCallBegin"),
      text("function"),
      tag("toolSep"),
      text(`${tool.name}\n\`\`\`json\n`),
    ];
    return seq(...head, ref(`${prefix}json`), text("\n```"), tag("toolCallEnd"));
  });
  rules.set("call", alt(...calls));
  rules.set("further", seq(text("\n"), ref("call")));
  const more = tools.length === 1 ? [] : [repeat(ref("further"), 0, MAX_CALLS - 1)];
  rules.set(
    "root",
    seq(
      repeat(chars("\n"), 0, 2),
      tag("toolCallsBegin"),
      ref("call"),
      ...more,
      tag("toolCallsEnd"),
    ),
  );
  return finishRules(rules, path);
}
