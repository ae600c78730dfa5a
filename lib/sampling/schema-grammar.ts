// Makes the GBNF of a JSON Schema. Pure; runs on any JavaScript thread.
import { R1Error } from "../base/errors.js";
import { compileSchema } from "../base/json-schema.js";
import { checkGrammar } from "./grammar-check.js";
import {
  chars,
  empty,
  GrammarProblem,
  printGrammar,
  ref,
  references,
  repeat,
  seq,
  type GrammarNode,
} from "./grammar.js";
import { SchemaCompiler } from "./schema-compiler.js";
import { fail } from "./schema-leaf.js";
import type { Schema } from "./schema-merge.js";
import { placeOf } from "./schema-place.js";

/** Largest schema, as JSON. Unit: UTF-16 code units. */
const MAX_SCHEMA = 262_144;

/** Repetitions of anything but a character or a rule get a rule of their own, since llama.cpp multiplies the rules inside a repeated group. */
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

/** Throws an error again that names its place in a schema as it is written, where it was found in one put together. */
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

/** Converts a schema, once it is known to be one. */
function compile(compiler: SchemaCompiler, schema: unknown, path: string): GrammarNode {
  try {
    compileSchema(schema, path);
    return compiler.convert(schema, path);
  } catch (error) {
    if (error instanceof RangeError)
      return fail(path, "leads from one reference to the next too often to be followed");
    // The compiler of checks names no place; ours does where it sees the mistake too.
    if (
      error instanceof R1Error &&
      error.details["path"] === path &&
      typeof schema === "object" &&
      schema !== null &&
      !Array.isArray(schema)
    )
      compiler.convert(schema, path);
    throw error;
  }
}

/** Rules that hold a schema's values, by name. The value itself is rule `json`. */
export function schemaRules(schema: unknown, path: string): Map<string, GrammarNode> {
  let length: number;
  try {
    length = JSON.stringify(schema)?.length ?? 0;
  } catch {
    return fail(path, "is circular, or nested too deeply to be read");
  }
  if (length > MAX_SCHEMA)
    fail(path, `has ${length} characters, more than the ${MAX_SCHEMA} that are looked at`);
  const compiler = new SchemaCompiler(schema as Schema, path);
  let value: GrammarNode;
  try {
    value = compile(compiler, schema, path);
  } catch (error) {
    return rethrow(error, schema, path);
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

/** Checks rules made here; what is wrong with them is wrong with the schema. */
export function finishRules(rules: Map<string, GrammarNode>, path: string): string {
  const used = reachable(rules);
  try {
    checkGrammar(used);
  } catch (error) {
    if (error instanceof GrammarProblem)
      fail(path, `cannot be kept by a grammar: it ${error.message}`);
    throw error;
  }
  return printGrammar(used);
}

/**
 * Makes the GBNF of a JSON Schema: every text it allows parses and fits the schema, though not every fitting text is allowed (properties come in order, others only if
 * `additionalProperties` says so). Up to two line breaks may come first.
 *
 * @param path - How errors name the schema; a JSON pointer into it follows.
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` with `details.path` for a schema that is none, that no value fits, or that a grammar cannot keep.
 */
export function schemaToGrammar(schema: unknown, path = "schema"): string {
  const rules = schemaRules(schema, path);
  rules.set("root", seq(repeat(chars("\n"), 0, 2), ref("json")));
  return finishRules(rules, path);
}
