// Creates the GBNF of a JSON Schema. Pure.
import { R1Error } from "../../base/errors.js";
import { schemaJson } from "../../base/schema/json-schema.js";
import { StepLimitError } from "../../base/schema/pattern-matcher.js";
import { SchemaChecker } from "../../base/schema/check-value.js";
import { SchemaDocument } from "../../base/schema/document.js";
import { leftRecursion } from "../facts.js";
import {
  chars,
  empty,
  printGrammar,
  ref,
  references,
  repeat,
  seq,
  type GrammarNode,
} from "../grammar.js";
import { withoutDead } from "../dead.js";
import { MAX_WORK, SchemaCompiler, TooMuchWork } from "./compiler.js";
import { fail } from "./leaf.js";
import { placeOf } from "./place.js";

/**
 * Repetitions of anything but a character or a rule get a rule of their own, so that what repeats
 * it need not copy it.
 */
function hoist(node: GrammarNode, add: (node: GrammarNode) => GrammarNode): GrammarNode {
  if (node.kind === "seq" || node.kind === "alt")
    return { kind: node.kind, nodes: node.nodes.map((each) => hoist(each, add)) };
  if (node.kind !== "repeat") return node;
  const inner = hoist(node.node, add);
  const isSimple =
    inner.kind === "chars" ||
    inner.kind === "ref" ||
    inner.kind === "text" ||
    (node.min === 0 && node.max === 1);
  return { ...node, node: isSimple ? inner : add(inner) };
}

/**
 * Throws an error again that names its place in a schema as it is written, where it was found in
 * one put together.
 */
function rethrow(error: unknown, schema: unknown, path: string): never {
  const named = error instanceof R1Error ? error.details["path"] : undefined;
  if (!(error instanceof R1Error) || typeof named !== "string" || !named.startsWith(path))
    throw error;
  const place = path + placeOf(schema, named.slice(path.length));
  if (place === named) throw error;
  throw new R1Error("SCHEMA_UNSUPPORTED", error.message.replace(`\`${named}\``, `\`${place}\``), {
    cause: error,
    details: { path: place },
  });
}

/** Rules that hold a schema's values, by name. The value itself is rule `json`. */
export function schemaRules(
  schema: unknown,
  path: string,
  maxWork = MAX_WORK,
): Map<string, GrammarNode> {
  const source: unknown = JSON.parse(schemaJson(schema, path));
  let compiler: SchemaCompiler;
  let value: GrammarNode;
  try {
    const document = new SchemaDocument(source, path);
    compiler = new SchemaCompiler(document, new SchemaChecker(document, path), path, maxWork);
    value = compiler.convert(document.root, path);
  } catch (error) {
    if (error instanceof RangeError)
      return fail(path, "leads from one reference to the next too often to be followed");
    if (error instanceof StepLimitError && maxWork < MAX_WORK) throw new TooMuchWork();
    if (error instanceof StepLimitError)
      return fail(path, "has listed values that take too many steps to check");
    return rethrow(error, source, path);
  }
  const hoisted = new Map<string, GrammarNode>();
  const add = (node: GrammarNode): GrammarNode => {
    const name = `h${hoisted.size}`;
    hoisted.set(name, empty);
    hoisted.set(name, node);
    return ref(name);
  };
  for (const [name, node] of [...compiler.rules]) hoisted.set(name, hoist(node, add));
  hoisted.set("json", hoist(value, add));
  return hoisted;
}

/** The rules that `root` leads to. */
function reachable(rules: ReadonlyMap<string, GrammarNode>): Map<string, GrammarNode> {
  const used = new Map<string, GrammarNode>();
  const todo = ["root"];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const node = rules.get(name);
    if (node === undefined || used.has(name)) continue;
    used.set(name, node);
    references(node, (target) => todo.push(target));
  }
  return used;
}

/** Longest grammar that is made. Unit: UTF-16 code units. */
const MAX_GRAMMAR = 8_388_608;

/** The text of rules made here, without what has no end. */
export function finishRules(rules: Map<string, GrammarNode>, path: string): string {
  const live = withoutDead(reachable(rules));
  if (live === undefined) fail(path, "cannot be kept by a grammar: it can never come to an end");
  const used = reachable(live);
  const recursive = leftRecursion(used);
  if (recursive !== undefined)
    fail(path, `cannot be kept by a grammar: rule ${recursive} can begin with itself`);
  const source = printGrammar(used);
  if (source.length > MAX_GRAMMAR)
    fail(path, `makes a grammar of more than ${MAX_GRAMMAR} characters`);
  return source;
}

/**
 * Creates the GBNF of a JSON Schema. Every text it allows parses and matches the schema, but not
 * every matching text is allowed: properties are in order, and others are written only if
 * `additionalProperties` says so. Up to two line breaks may come first.
 *
 * @param path - The schema's name in errors; a JSON pointer into it follows.
 * @param maxWork - Number of schemas to convert before it throws `TooMuchWork`.
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` with `details.path` if it is not a schema, if no value
 * matches it, or if a grammar cannot express it.
 */
export function schemaToGrammar(schema: unknown, path = "schema", maxWork = MAX_WORK): string {
  const rules = schemaRules(schema, path, maxWork);
  rules.set("root", seq(repeat(chars("\n"), 0, 2), ref("json")));
  return finishRules(rules, path);
}
