// Checks the tools that a caller offers, and describes them to the model.
import { array, isArray, knownKeys, object, oneOf, refuse, string } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { SchemaCheck } from "../base/schema/json-schema.js";
import { plainSchema, type JsonSchemaSource } from "../base/schema/plain-schema.js";
import { failSchema, isObject } from "../base/schema/types.js";
import type { Role } from "../base/types.js";
import { pythonJson } from "./json-text.js";
import { LazyCheck, SchemaRoom, ToolChecks } from "./tool-checks.js";
import type { Segment } from "./segment.js";

/** A function that the model may call, in OpenAI's format. */
export interface ToolDefinition {
  /** The only supported kind of tool. */
  readonly type: "function";
  /** The function. */
  readonly function: {
    /** 1 to 64 letters, digits, `_` or `-`. */
    readonly name: string;
    /** Description of the function for the model. */
    readonly description?: string;
    /**
     * JSON Schema of the arguments, which are an object; or a validator with a `toJSONSchema()`
     * method, as in Zod 4. @defaultValue any object
     */
    readonly parameters?: Readonly<Record<string, unknown>> | JsonSchemaSource | null;
    /**
     * Accepted for compatibility with other servers; arguments are always checked against the
     * schema.
     */
    readonly strict?: boolean | null;
  };
}

/**
 * Whether the model calls tools. `auto`: the model decides. `none`: tools are not even shown.
 * `required`: it must call at least one. `{ type, function: { name } }`: it must call this one. A
 * grammar makes the last two follow the schemas.
 */
export type ToolChoice =
  | "auto"
  | "none"
  | "required"
  | { readonly type: "function"; readonly function: { readonly name: string } };

/** A checked tool. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Returns what is wrong with arguments. */
  readonly check: SchemaCheck;
  /** The check of the schema alone. */
  readonly schemaCheck: LazyCheck;
  /** The tool as plain data, for a file's own template. */
  readonly definition: Readonly<Record<string, unknown>>;
}

/** The result of {@link normalizeTools} for `tools` and `toolChoice`. */
export interface ToolConfig {
  /** Tools that the prompt shows and that calls are checked against; empty with choice `none`. */
  readonly tools: readonly Tool[];
  /** The tools of which one must be called; empty if a call is not required. */
  readonly forced: readonly Tool[];
  /** Their checks, which must be compiled before arguments are checked, unless they are small. */
  readonly checks: ToolChecks;
}

const MAX_TOOLS = 128;

const TOOL_FORM = '{ type: "function", function: { name, description, parameters } }';

function checkTool(value: unknown, path: string): Tool {
  const tool = object(value, path);
  knownKeys(tool, path, ["type", "function"], TOOL_FORM);
  oneOf(tool["type"], `${path}.type`, ["function"]);
  const made = object(tool["function"], `${path}.function`);
  knownKeys(made, `${path}.function`, ["name", "description", "parameters", "strict"]);
  const name = string(made["name"], `${path}.function.name`);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name))
    refuse(`${path}.function.name`, "1 to 64 letters, digits, _ or -", name);
  const { description, parameters } = made;
  const at = `${path}.function.parameters`;
  const hasSchema = parameters !== undefined && parameters !== null;
  if (hasSchema && typeof parameters !== "function") object(parameters, at);
  const schema = hasSchema ? plainSchema(parameters, at) : { type: "object" };
  if (!isObject(schema)) return failSchema(at, "must be an object: arguments have names");
  const types = Array.isArray(schema["type"])
    ? (schema["type"] as unknown[])
    : [schema["type"] ?? "object"];
  // Arguments are named, so they are an object, even if the schema does not say so.
  if (!types.includes("object"))
    throw new R1Error(
      "SCHEMA_UNSUPPORTED",
      `The schema at \`${at}/type\` must be of an object, since arguments have names.`,
      {
        details: { path: `${at}/type` },
      },
    );
  const schemaCheck = new LazyCheck(
    { ...schema, type: "object" },
    at,
    JSON.stringify(schema).length,
  );
  return Object.freeze({
    name,
    description:
      description === undefined || description === null
        ? ""
        : string(description, `${path}.function.description`, true),
    parameters: schema,
    check: (args: unknown) =>
      typeof args === "object" && args !== null && !Array.isArray(args)
        ? schemaCheck.compile()(args)
        : "the value must be object",
    schemaCheck,
    definition: Object.freeze({
      ...tool,
      function: hasSchema ? { ...made, parameters: schema } : { ...made },
    }),
  });
}

/**
 * Checks `tools` and `toolChoice`.
 *
 * @param tools - A list of {@link ToolDefinition}, or undefined.
 * @param choice - A {@link ToolChoice}, or undefined for `auto`.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `SCHEMA_UNSUPPORTED` for parameters that
 * are not a JSON Schema (for many or large ones when `checks` are compiled), or too large in total.
 */
export function normalizeTools(
  tools: unknown,
  choice: unknown,
  path = "tools",
  choicePath = "toolChoice",
): ToolConfig {
  if (isArray(tools) && tools.length > MAX_TOOLS) refuse(path, `at most ${MAX_TOOLS} tools`, tools);
  const room = new SchemaRoom(path);
  const list =
    tools === undefined
      ? []
      : array(tools, path, (value, at) => {
          const tool = checkTool(value, at);
          room.take(tool.schemaCheck.size);
          return tool;
        });
  const names = list.map((tool) => tool.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) refuse(path, `tools with different names, not "${twice}" twice`, tools);
  const checks = new ToolChecks(list.map((tool) => tool.schemaCheck));
  if (choice === undefined || choice === "auto")
    return Object.freeze({ tools: list, forced: [], checks });
  if (choice === "none") return Object.freeze({ tools: [], forced: [], checks });
  if (list.length === 0)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `\`${choicePath}\` requires a call, but \`${path}\` offers no tool.`,
      { details: { option: choicePath } },
    );
  if (typeof choice === "string") {
    if (names.includes(choice))
      refuse(
        choicePath,
        `{ type: "function", function: { name: ${JSON.stringify(choice)} } }, which requires that tool,`,
        choice,
      );
    oneOf(choice, choicePath, ["auto", "none", "required"]);
    return Object.freeze({ tools: list, forced: list, checks });
  }
  const named = object(choice, choicePath);
  knownKeys(named, choicePath, ["type", "function"]);
  oneOf(named["type"], `${choicePath}.type`, ["function"]);
  const name = oneOf(
    object(named["function"], `${choicePath}.function`)["name"],
    `${choicePath}.function.name`,
    names,
  );
  const forced = list.filter((tool) => tool.name === name);
  return Object.freeze({ tools: list, forced, checks });
}

const own = (text: string): Segment => ({ text, owner: "template" });
const special = (role: Role): Segment => ({ special: role });

/**
 * Describes tools to the model, as text after the system prompt. The official templates of R1 do
 * not describe tools at all, only calls and results; the wording is our own, and the example call
 * has the official form with the real tokens. Names, descriptions and schemas are plain text,
 * whatever they contain.
 */
export function renderTools(tools: readonly Tool[]): Segment[] {
  if (tools.length === 0) return [];
  const described = tools.flatMap((tool): Segment[] => [
    own("\n\n### "),
    { text: tool.name, owner: "system" },
    ...(tool.description === ""
      ? []
      : [own("\n"), { text: tool.description, owner: "system" } as const]),
    own("\nParameters (JSON Schema): "),
    { text: pythonJson(tool.parameters), owner: "system" },
  ]);
  return [
    own("## Tools\n\nYou can call these functions:"),
    ...described,
    own(
      "\n\nTo call functions, end your answer with exactly this form, one block for each call, the arguments as one JSON object that fits the function's schema:\n\n",
    ),
    special("toolCallsBegin"),
    special("toolCallBegin"),
    own("function"),
    special("toolSep"),
    own('NAME\n```json\n{"argument": "value"}\n```'),
    special("toolCallEnd"),
    special("toolCallsEnd"),
    own(
      "\n\nThe results come back to you. Call functions only when they help; else answer right away.",
    ),
  ];
}
