// The required form of the answer: a JSON Schema or a grammar. Validated before the run. Pure.
import { knownKeys, object, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { plainSchema } from "../base/schema/plain-schema.js";
import { compileSchemaGrammar } from "./compile.js";

/** Forces the answer into a form; the reasoning stays free. Give one of the two. */
export interface ResponseOptions {
  /**
   * A JSON Schema (of the draft in `$schema`, 04 to 2020-12; default 2020-12), or an object with a
   * `toJSONSchema()` method, such as Zod's schemas. The answer is JSON that matches it.
   */
  readonly schema?: unknown;
  /** A grammar in llama.cpp's GBNF with a rule `root`; at most 64 KiB. */
  readonly grammar?: string | undefined;
}

/** Maximum length of a grammar. Unit: bytes. */
const MAX_GRAMMAR = 65_536;

function checkSource(source: unknown, path: string): string {
  if (typeof source !== "string" || source.trim() === "") refuse(path, "a grammar in GBNF", source);
  const fail = (problem: string): never => {
    throw new R1Error("GRAMMAR_INVALID", `The grammar of \`${path}\` ${problem}.`, {
      details: { path },
    });
  };
  if (source.length > MAX_GRAMMAR || Buffer.byteLength(source) > MAX_GRAMMAR)
    fail(`is longer than the ${MAX_GRAMMAR} bytes that are read`);
  if (source.includes("\0")) fail("holds a null character");
  return source;
}

/**
 * Returns the grammar of an answer, at once or as a promise. Errors found while compiling are
 * thrown or reject.
 */
export type AnswerForm = () => string | Promise<string>;

/**
 * Validates the option `response`. The function it returns starts the compilation when called: a
 * small schema on the calling thread, others in a child process, each schema once.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `SCHEMA_UNSUPPORTED` if it is not a
 * schema, not JSON, or too large.
 */
export function responseForm(value: unknown, path = "response"): AnswerForm | undefined {
  if (value === undefined) return undefined;
  const { schema, grammar } = parts(value, path);
  if (schema === undefined) return () => checkSource(grammar, `${path}.grammar`);
  const plain = plainSchema(schema, `${path}.schema`);
  return () => compileSchemaGrammar(plain, `${path}.schema`);
}

function parts(value: unknown, path: string): { schema: unknown; grammar: unknown } {
  const options = object(value, path);
  knownKeys(options, path, ["schema", "grammar"], `${path}: { schema } or { grammar }`);
  const { schema, grammar } = options;
  if ((schema === undefined) === (grammar === undefined))
    refuse(path, "either a schema or a grammar", value);
  return { schema, grammar };
}
