// The flags of `serve`, in llama-server's words where they mean the same; data only.
import { R1Error } from "../base/errors.js";
import { constant, integer, list, number, text, word } from "./flag-values.js";
import { inGroup, type Flag, type Row } from "./flags.js";

const last = (values: readonly string[]): string => values.at(-1) ?? "";

const listen: Row[] = [
  {
    names: ["--host"],
    value: "ADDRESS",
    option: "host",
    parse: text,
    doc: "address to listen on (default: 127.0.0.1, this machine alone)",
  },
  {
    names: ["--port"],
    value: "N",
    option: "port",
    parse: integer,
    doc: "port; 0: any free one (default: 8080)",
  },
  {
    names: ["--api-prefix"],
    value: "PATH",
    option: "basePath",
    parse: text,
    doc: "path below which all routes lie",
  },
  {
    names: ["--ssl-key-file"],
    value: "FILE",
    option: "tlsKeyFile",
    parse: text,
    doc: "private key in PEM form, for HTTPS",
  },
  {
    names: ["--ssl-cert-file"],
    value: "FILE",
    option: "tlsCertFile",
    parse: text,
    doc: "certificate in PEM form, for HTTPS",
  },
  {
    names: ["--drain"],
    value: "SECONDS",
    option: "drain",
    parse: number,
    doc: "how long running requests may go on after Ctrl-C or SIGTERM (default: 30)",
  },
];

const access: Row[] = [
  {
    names: ["--api-key"],
    value: "KEY,...",
    option: "apiKeys",
    parse: list,
    doc: "keys, one of which every request but GET /health must bring",
  },
  {
    names: ["--api-key-file"],
    value: "FILE",
    option: "apiKeyFile",
    parse: text,
    doc: "file of keys, KEY or NAME KEY in a line; read again when it changes",
  },
  {
    names: ["--no-auth"],
    option: "allowUnauthenticated",
    parse: constant(true),
    doc: "listen on an address that other machines reach without asking for a key",
  },
  {
    names: ["--allowed-hosts"],
    value: "NAME,...",
    option: "allowedHosts",
    parse: (values) => (last(values) === "*" ? "*" : last(values).split(",")),
    doc: "host names that requests may come to, beside localhost and addresses; *: any",
  },
  {
    names: ["--cors-origins"],
    value: "ORIGIN,...",
    option: "corsOrigins",
    parse: (values) => (last(values) === "*" ? "*" : last(values).split(",")),
    doc: "web pages that may use the server; *: any (default: none)",
  },
];

const models: Row[] = [
  {
    names: ["-a", "--alias"],
    value: "NAME,...",
    option: "alias",
    parse: list,
    doc: "names of the model in requests (default: its file's)",
  },
  {
    names: ["--add-model"],
    value: "NAME=FILE",
    option: "addModel",
    parse: (values, name) => values.map((value) => namedModel(value, name)),
    doc: "a further model, loaded on its first request; may be given several times",
  },
  {
    names: ["--any-model"],
    option: "anyModel",
    parse: constant(true),
    doc: "a model name that is not known means the first model",
  },
  {
    names: ["--models-memory"],
    value: "GIB",
    option: "modelsMemory",
    parse: number,
    doc: "most memory of all models; idle ones are closed for others",
  },
];

const replies: Row[] = [
  {
    names: ["--reasoning-format"],
    value: "FORM",
    option: "reasoningFormat",
    parse: text,
    doc: "reasoning_content, reasoning, both, tags or hidden (default: reasoning_content)",
  },
  {
    names: ["--sse-ping-interval"],
    value: "SECONDS",
    option: "keepAlive",
    parse: integer,
    doc: "longest silence of a response before a sign of life; 0: none (default: 15)",
  },
  {
    names: ["--sse-ping"],
    value: "comment|chunk|off",
    option: "keepAliveForm",
    parse: word({ comment: "comment", chunk: "chunk", off: "off" }),
    doc: "signs of life of streams: comments, or empty chunks (default: comment)",
  },
  {
    names: ["-to", "--timeout"],
    value: "SECONDS",
    option: "timeout",
    parse: integer,
    doc: "most time of a request; 0: no limit (default: 3600)",
  },
  {
    names: ["--no-aux"],
    option: "noAuxiliary",
    parse: constant(true),
    doc: "titles and tags that clients ask for are treated as any request",
  },
];

const operation: Row[] = [
  {
    names: ["--metrics"],
    option: "metrics",
    parse: constant(true),
    doc: "metrics at GET /metrics (default)",
  },
  {
    names: ["--no-metrics"],
    option: "metrics",
    parse: constant(false),
    doc: "no metrics",
  },
  {
    names: ["--slots"],
    option: "slots",
    parse: constant(true),
    doc: "GET /slots lists the sequences, without any text",
  },
  {
    names: ["--no-slots"],
    option: "slots",
    parse: constant(false),
    doc: "no such list (default)",
  },
  {
    names: ["--max-queue"],
    value: "N",
    option: "limits",
    field: "maxQueue",
    parse: integer,
    doc: "requests that may wait (default: 2048)",
  },
  {
    names: ["--max-queue-per-key"],
    value: "N",
    option: "limits",
    field: "maxQueuePerKey",
    parse: integer,
    doc: "requests of one key that may wait (default: 1024)",
  },
  {
    names: ["--max-running-per-key"],
    value: "N",
    option: "limits",
    field: "maxRunningPerKey",
    parse: integer,
    doc: "requests of one key that run at once (default: 64)",
  },
  {
    names: ["--max-body"],
    value: "BYTES",
    option: "limits",
    field: "maxBodyBytes",
    parse: integer,
    doc: "longest body of a request (default: 8388608)",
  },
  {
    names: ["--max-stored"],
    value: "N",
    option: "limits",
    field: "maxStored",
    parse: integer,
    doc: "responses of /v1/responses that are kept; 0: none (default: 1000)",
  },
  {
    names: ["--max-stored-bytes"],
    value: "BYTES",
    option: "limits",
    field: "maxStoredBytes",
    parse: integer,
    doc: "their text together (default: 67108864)",
  },
  {
    names: ["--max-stored-age"],
    value: "SECONDS",
    option: "limits",
    field: "maxStoredAge",
    parse: integer,
    doc: "how long a response is kept (default: 86400)",
  },
  {
    names: ["--log-format"],
    value: "json|text",
    option: "logFormat",
    parse: word({ json: "json", text: "text" }),
    doc: "log lines as JSON, or for people (default: text on a terminal)",
  },
  {
    names: ["--log-disable"],
    option: "logLevel",
    parse: constant("silent"),
    doc: "no log",
  },
  {
    names: ["-v", "--verbose", "--log-verbose"],
    option: "verbose",
    parse: constant(true),
    doc: "the server's debug lines and llama.cpp's log",
  },
];

const engine: Row[] = [
  {
    names: ["-np", "--parallel"],
    value: "N",
    option: "sequences",
    parse: (values, name) => {
      const n = integer(values, name, undefined) as number;
      return n === -1 ? 4 : n;
    },
    doc: "requests that run at once (default: 4)",
  },
  {
    names: ["-kvu", "--kv-unified"],
    option: "kvUnified",
    parse: constant(true),
    doc: "one pool of cells for all requests (default)",
  },
  {
    names: ["-no-kvu", "--no-kv-unified"],
    option: "kvUnified",
    parse: constant(false),
    doc: "each request has its share of the context",
  },
];

/** llama-server's flags that ask for what is always so here, or for what this server has not. */
const SWITCHES = [
  "--no-webui",
  "--no-ui",
  "--jinja",
  "--props",
  "--cont-batching",
  "--no-context-shift",
  "--no-slot-prompt-similarity",
  "--offline",
  "--no-mmproj",
] as const;

const accepted: Row[] = [
  ...SWITCHES.map((name) => ({
    names: [name],
    option: `accepted:${name}`,
    parse: constant(true),
    doc: "accepted; nothing to do here",
    hidden: true,
  })),
  ...["--threads-http", "--log-verbosity", "--cache-reuse", "--tags"].map((name) => ({
    names: [name],
    value: "N",
    option: `accepted:${name}`,
    parse: text,
    doc: "accepted; nothing to do here",
    hidden: true,
  })),
];

function namedModel(value: string, name: string): readonly [string, string] {
  const at = value.indexOf("=");
  if (at <= 0 || at === value.length - 1)
    throw new R1Error("INVALID_ARGUMENT", `Expected NAME=FILE after ${name}.`, {
      details: { option: name },
    });
  return [value.slice(0, at), value.slice(at + 1)];
}

/** Flags of `serve` only. */
export const serveFlags: readonly Flag[] = Object.freeze([
  ...inGroup("run", "Listening:", listen),
  ...inGroup("run", "Access:", access),
  ...inGroup("run", "Models:", models),
  ...inGroup("run", "Replies:", replies),
  ...inGroup("run", "Operation:", operation),
  ...inGroup("load", "Engine:", engine),
  ...inGroup("run", "Compatibility:", accepted),
]);

/** llama-server's environment variables, and the flags that they stand for. */
export const SERVE_ENVIRONMENT: Readonly<Record<string, string>> = Object.freeze({
  LLAMA_ARG_HOST: "--host",
  LLAMA_ARG_PORT: "--port",
  LLAMA_ARG_API_PREFIX: "--api-prefix",
  LLAMA_API_KEY: "--api-key",
  LLAMA_ARG_SSL_KEY_FILE: "--ssl-key-file",
  LLAMA_ARG_SSL_CERT_FILE: "--ssl-cert-file",
  LLAMA_ARG_ALIAS: "--alias",
  LLAMA_ARG_TIMEOUT: "--timeout",
  LLAMA_ARG_ENDPOINT_METRICS: "--metrics",
  LLAMA_ARG_ENDPOINT_SLOTS: "--slots",
  LLAMA_ARG_N_PARALLEL: "--parallel",
  LLAMA_ARG_MODEL: "--model",
  LLAMA_ARG_HF_REPO: "--hf-repo",
  LLAMA_ARG_CTX_SIZE: "--ctx-size",
  LLAMA_ARG_BATCH: "--batch-size",
  LLAMA_ARG_UBATCH: "--ubatch-size",
  LLAMA_ARG_THREADS: "--threads",
  LLAMA_ARG_N_GPU_LAYERS: "--n-gpu-layers",
  LLAMA_ARG_CACHE_TYPE_K: "--cache-type-k",
  LLAMA_ARG_CACHE_TYPE_V: "--cache-type-v",
  LLAMA_ARG_FLASH_ATTN: "--flash-attn",
  LLAMA_ARG_THINK: "--reasoning-format",
});
