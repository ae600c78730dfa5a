// Compiles schemas and forced tools to grammars: small ones at once, others in a child process,
// each only once.
import { BoundedWorker, WorkerLimitError } from "../base/bounded-worker.js";
import { ByteCache } from "../base/byte-cache.js";
import { builtModule } from "../base/child.js";
import { schemaJson } from "../base/schema/json-schema.js";
import { failSchema } from "../base/schema/types.js";
import type { ToolTagIds, ToolTags } from "../base/types.js";
import { TooMuchWork } from "./schema/compiler.js";
import { schemaToGrammar } from "./schema/schema-grammar.js";
import { toolGrammar, type ForcedTool } from "./tool-grammar.js";

/** The request to the child process. */
export type SchemaTask =
  | { readonly kind: "schema"; readonly json: string; readonly path: string }
  | {
      readonly kind: "tools";
      readonly tools: readonly ForcedTool[];
      readonly texts: ToolTags;
      readonly ids: ToolTagIds;
      readonly path: string;
    };

/** Longest JSON that is compiled on the calling thread. Unit: UTF-16 code units. */
const SMALL = 4096;
/** The same for forced tools: one grammar contains all their schemas. */
const SMALL_TOOLS = 2048;
/** Number of subschemas to convert on the calling thread: a few milliseconds. */
const SMALL_WORK = 300;
/** Time limit for compiling one schema, on a machine under load. Unit: milliseconds. */
const TIMEOUT_MS = 10_000;
/** Size of the cached grammars with their schemas. Unit: UTF-16 code units. */
const MAX_KNOWN = 16_777_216;

const worker = new BoundedWorker<SchemaTask, string>({
  name: "The schema compiler",
  module: builtModule(new URL("./schema-task.js", import.meta.url)),
  timeoutMs: TIMEOUT_MS,
  heapMiB: 512,
});
const known = new ByteCache<string>(MAX_KNOWN);
const running = new Map<string, Promise<string>>();

async function compileElsewhere(key: string, task: SchemaTask): Promise<string> {
  try {
    const grammar = await worker.run(task);
    known.set(key, grammar, key.length + grammar.length);
    return grammar;
  } catch (error) {
    if (error instanceof WorkerLimitError)
      return failSchema(
        task.path,
        `cannot be compiled within its limits: ${error.message}. Make it smaller or simpler`,
      );
    throw error;
  } finally {
    running.delete(`${task.path} ${key}`);
  }
}

/**
 * Returns the grammar for a key: from the cache, compiled at once if that is quick, or as a
 * promise. A faulty schema rejects.
 */
function compile(
  key: string,
  task: SchemaTask,
  quick: (() => string) | undefined,
): string | Promise<string> {
  const made = known.get(key);
  if (made !== undefined) return made;
  if (quick !== undefined)
    try {
      const grammar = quick();
      known.set(key, grammar, key.length + grammar.length);
      return grammar;
    } catch (error) {
      if (!(error instanceof TooMuchWork)) return rejected(error as Error);
    }
  // Error messages contain the path, so requests share a compilation only if the path is the same.
  const name = `${task.path} ${key}`;
  let promise = running.get(name);
  if (promise === undefined) {
    promise = compileElsewhere(key, task);
    running.set(name, promise);
  }
  return promise;
}

/** Returns a rejection that is not reported as unhandled. */
function rejected(error: Error): Promise<never> {
  const promise: Promise<never> = Promise.reject(error);
  promise.catch(() => undefined);
  return promise;
}

/**
 * Short input that still takes tens of milliseconds: Unicode properties are looked up character by
 * character, name patterns are followed all at once, and long patterns make many rules.
 */
const SLOW: readonly RegExp[] = [
  /\\\\[pP]\{/,
  /"patternProperties"/,
  /"propertyNames":\{[^}]*"(?:pattern|minLength|maxLength)"/,
  /"pattern":"(?:[^"\\]|\\.){200}/,
];

/** Deepest JSON that is compiled on the calling thread. Unit: levels. */
const SHALLOW = 32;

function isDeep(json: string): boolean {
  let depth = 0;
  for (const [bracket] of json.matchAll(/[[{}\]]/g)) {
    depth += bracket === "{" || bracket === "[" ? 1 : -1;
    if (depth > SHALLOW) return true;
  }
  return false;
}

const isQuick = (json: string): boolean =>
  json.length <= SMALL && !SLOW.some((words) => words.test(json)) && !isDeep(json);

/**
 * Returns the grammar of a schema.
 *
 * @returns The grammar if it is cached or small, otherwise a promise. Errors found while compiling
 * reject.
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` if it is not a schema or too large.
 */
export function compileSchemaGrammar(schema: unknown, path: string): string | Promise<string> {
  const json = schemaJson(schema, path);
  return compile(
    `schema ${json}`,
    { kind: "schema", json, path },
    isQuick(json) ? () => schemaToGrammar(JSON.parse(json), path, SMALL_WORK) : undefined,
  );
}

/** Like {@link toolGrammar}, at once or as a promise like {@link compileSchemaGrammar}. */
export function compileToolGrammar(
  tools: readonly ForcedTool[],
  texts: ToolTags,
  ids: ToolTagIds = {},
  path = "tools",
): string | Promise<string> {
  const plain = tools.map(({ name, parameters }) => ({ name, parameters }));
  const json = JSON.stringify([plain, texts, ids]);
  return compile(
    `tools ${json}`,
    { kind: "tools", tools: plain, texts: { ...texts }, ids: { ...ids }, path },
    isQuick(json) && json.length <= SMALL_TOOLS
      ? () => toolGrammar(plain, texts, ids, path, SMALL_WORK)
      : undefined,
  );
}
