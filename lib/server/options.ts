// The options of `createApp`: checked and completed once.
import {
  array,
  boolean,
  callback,
  integer,
  knownKeys,
  object,
  oneOf,
  refuse,
  string,
} from "../base/check.js";
import { checkCompletionOptions } from "../checks.js";
import type { GenerateOptions } from "../index.js";
import { DEFAULT_AUXILIARY } from "./core/auxiliary.js";
import type { AuxiliaryRule } from "./core/auxiliary.js";
import type { ReasoningForm } from "./core/reasoning.js";
import { REASONING_FORMS, reasoningForm } from "./core/reasoning.js";
import type { ServerLogger } from "./core/log.js";
import { DEFAULT_LIMITS, normalizeLimits } from "./limits.js";
import type { ServerLimits } from "./limits.js";

/** A key with the name that it has in logs and metrics. */
export interface NamedKey {
  readonly name: string;
  readonly key: string;
}

/** What `createApp` takes beside its models. Nothing here has to be given. */
export interface ServerOptions {
  /**
   * Keys, one of which every request but `GET /health` must bring, as `Authorization: Bearer KEY`
   * or `x-api-key: KEY`. @defaultValue none: no key is asked for
   */
  readonly apiKeys?: readonly (string | NamedKey)[] | undefined;
  /**
   * A file of keys: one in a line, `KEY` or `NAME KEY`, `#` begins a comment. It is read again when
   * it changes. @defaultValue none
   */
  readonly apiKeyFile?: string | undefined;
  /**
   * Host names that requests may come to, beside `localhost` and IP addresses; `"*"` allows any.
   * Guards against DNS rebinding. @defaultValue none
   */
  readonly allowedHosts?: readonly string[] | "*" | undefined;
  /**
   * Origins of web pages that may use the server, such as `https://chat.example.com`; `"*"` allows
   * any. @defaultValue none
   */
  readonly corsOrigins?: readonly string[] | "*" | undefined;
  /** A path below which all routes lie, such as `/llm`. @defaultValue none */
  readonly basePath?: string | undefined;
  /** Other names of models; `*` at the end of one stands for any text. @defaultValue none */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** A `model` that is not known means the first model, not 404. @defaultValue false */
  readonly anyModel?: boolean | undefined;
  /**
   * Most memory of the models that functions load: weights, caches and buffers together. Idle ones
   * are closed for others. Unit: bytes. @defaultValue 0: as much as there is
   */
  readonly maxModelBytes?: number | undefined;
  /**
   * Where responses have the thinking: `reasoning_content`, `reasoning`, `both`, `tags` in the
   * content, or `hidden`; other servers' names of these are taken too.
   * @defaultValue `"reasoning_content"`
   */
  readonly reasoningFormat?: string | undefined;
  /**
   * Rules for auxiliary requests, in place of the default ones; `[]`: none.
   * @defaultValue those of Open WebUI and LibreChat, and the header `x-r1-aux`
   */
  readonly auxiliary?: readonly AuxiliaryRule[] | undefined;
  /**
   * Longest silence of a response before a sign of life. Unit: seconds. Range: 0 .. 3600; 0: none.
   * @defaultValue 15
   */
  readonly keepAlive?: number | undefined;
  /** Signs of life of streams: SSE comments, or empty chunks. @defaultValue `"comment"` */
  readonly keepAliveForm?: "comment" | "chunk" | undefined;
  /** Most time of a request from its turn on. Unit: seconds; 0: no limit. @defaultValue 3600 */
  readonly timeout?: number | undefined;
  /**
   * Options of generations that hold where a request says nothing, such as `{ temperature: 0.7 }`.
   * @defaultValue none: the library's own
   */
  readonly defaults?: GenerateOptions | undefined;
  /** Bounds on requests. */
  readonly limits?: Partial<ServerLimits> | undefined;
  /** Metrics at `GET /metrics`. @defaultValue true */
  readonly metrics?: boolean | undefined;
  /** `GET /slots` lists what the engine runs, without any text. @defaultValue false */
  readonly slots?: boolean | undefined;
  /** A logger of pino's shape. No prompt and no key is ever logged. @defaultValue none */
  readonly logger?: ServerLogger | undefined;
}

/** Every option with its value. */
export interface ServerConfig {
  readonly apiKeys: readonly NamedKey[];
  readonly apiKeyFile: string | undefined;
  readonly allowedHosts: ReadonlySet<string> | "*";
  readonly corsOrigins: ReadonlySet<string> | "*";
  readonly basePath: string;
  readonly aliases: Readonly<Record<string, string>>;
  readonly anyModel: boolean;
  readonly maxModelBytes: number;
  readonly reasoningForm: ReasoningForm;
  readonly auxiliary: readonly AuxiliaryRule[];
  readonly keepAlive: { readonly intervalMs: number; readonly form: "comment" | "chunk" };
  readonly timeoutMs: number;
  readonly defaults: GenerateOptions;
  readonly limits: ServerLimits;
  readonly metrics: boolean;
  readonly slots: boolean;
  readonly logger: ServerLogger | undefined;
}

const KEYS = [
  "apiKeys",
  "apiKeyFile",
  "allowedHosts",
  "corsOrigins",
  "basePath",
  "aliases",
  "anyModel",
  "maxModelBytes",
  "reasoningFormat",
  "auxiliary",
  "keepAlive",
  "keepAliveForm",
  "timeout",
  "defaults",
  "limits",
  "metrics",
  "slots",
  "logger",
] as const satisfies readonly (keyof ServerOptions)[];

function apiKey(value: unknown, path: string, index: number): NamedKey {
  if (typeof value === "string") return { name: `key-${index + 1}`, key: string(value, path) };
  const given = object(value, path);
  knownKeys(given, path, ["name", "key"]);
  const name = string(given["name"], `${path}.name`);
  if (!/^[\w.-]{1,64}$/.test(name))
    refuse(`${path}.name`, "1 to 64 letters, digits or _ . - characters", name);
  return { name, key: string(given["key"], `${path}.key`) };
}

function names(value: unknown, path: string): ReadonlySet<string> | "*" {
  if (value === "*") return "*";
  const list = array(value, path, (one, at) => string(one, at).toLowerCase());
  return list.includes("*") ? "*" : new Set(list);
}

function basePath(value: unknown, path: string): string {
  const text = string(value, path, true).replace(/\/+$/, "");
  if (text !== "" && !/^(?:\/[\w.~-]+)+$/.test(text)) refuse(path, "a path such as `/llm`", value);
  return text;
}

function aliases(value: unknown, path: string): Readonly<Record<string, string>> {
  const given = object(value, path);
  return Object.freeze(
    Object.fromEntries(
      Object.entries(given).map(([name, model]) => [name, string(model, `${path}.${name}`)]),
    ),
  );
}

function rule(value: unknown, path: string): AuxiliaryRule {
  const given = object(value, path);
  const known = ["header", "headerValue", "prompt", "metadata", "model", "stream"];
  knownKeys(given, path, known);
  if (given["prompt"] !== undefined && !(given["prompt"] instanceof RegExp))
    refuse(`${path}.prompt`, "a regular expression", given["prompt"]);
  for (const key of ["header", "headerValue", "metadata", "model"])
    if (given[key] !== undefined) string(given[key], `${path}.${key}`);
  if (given["stream"] !== undefined) boolean(given["stream"], `${path}.stream`);
  return Object.freeze({ ...given });
}

function form(value: unknown, path: string): ReasoningForm {
  const name = oneOf(value, path, REASONING_FORMS);
  return reasoningForm(name) ?? refuse(path, "the name of a form", value);
}

function logger(value: unknown, path: string): ServerLogger {
  const given = object(value, path);
  for (const level of ["info", "warn", "error"]) callback(given[level], `${path}.${level}`);
  return value as ServerLogger;
}

/** Checks and completes the options. @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION` */
export function normalizeOptions(options: ServerOptions): ServerConfig {
  const given = object(options, "options");
  knownKeys(given, "createApp", KEYS);
  const or = <T>(
    key: (typeof KEYS)[number],
    fallback: T,
    check: (value: unknown, path: string) => T,
  ): T => (given[key] === undefined ? fallback : check(given[key], key));
  const seconds = (value: unknown, path: string): number => integer(value, path, 0, 2_000_000);
  let index = 0;
  return Object.freeze({
    apiKeys: or("apiKeys", [] as readonly NamedKey[], (value, path) =>
      array(value, path, (one, at) => apiKey(one, at, index++)),
    ),
    apiKeyFile: or("apiKeyFile", undefined as string | undefined, string),
    allowedHosts: or("allowedHosts", new Set() as ReadonlySet<string> | "*", names),
    corsOrigins: or("corsOrigins", new Set() as ReadonlySet<string> | "*", names),
    basePath: or("basePath", "", basePath),
    aliases: or("aliases", {}, aliases),
    anyModel: or("anyModel", false, boolean),
    maxModelBytes: or("maxModelBytes", 0, (value, path) =>
      integer(value, path, 0, Number.MAX_SAFE_INTEGER),
    ),
    reasoningForm: or("reasoningFormat", "reasoning_content", form),
    auxiliary: or("auxiliary", DEFAULT_AUXILIARY, (value, path) => array(value, path, rule)),
    keepAlive: {
      intervalMs: or("keepAlive", 15, (value, path) => integer(value, path, 0, 3600)) * 1000,
      form: or("keepAliveForm", "comment", (value, path) =>
        oneOf(value, path, ["comment", "chunk"]),
      ),
    },
    timeoutMs: or("timeout", 3600, seconds) * 1000,
    defaults: or("defaults", {}, (value, path) => {
      const defaults: GenerateOptions = Object.freeze({ ...object(value, path) });
      checkCompletionOptions(defaults);
      return defaults;
    }),
    limits: or("limits", DEFAULT_LIMITS, normalizeLimits),
    metrics: or("metrics", true, boolean),
    slots: or("slots", false, boolean),
    logger: or("logger", undefined as ServerLogger | undefined, logger),
  });
}
