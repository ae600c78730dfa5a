// Hostile requests: each is made of a number alone, so that it can be repeated. What is sent is
// bytes; what the client does with its socket afterwards is part of it.
import { Dice } from "./random.mjs";

const user = { role: "user", content: "What is 1+1?" };
const parameters = {
  type: "object",
  properties: { a: { type: "integer", minimum: 0 }, s: { enum: ["x", "y"] } },
  required: ["a"],
};

/** Valid requests of each route: most hostile ones are these with something changed. */
const VALID = [
  [
    "/v1/chat/completions",
    {
      model: "tiny-r1",
      messages: [
        { role: "system", content: "Be brief." },
        user,
        {
          role: "assistant",
          content: null,
          reasoning_content: "x",
          tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "1", content: [{ type: "text", text: "x" }] },
        user,
      ],
      tools: [{ type: "function", function: { name: "f", parameters, strict: true } }],
      tool_choice: "auto",
      max_tokens: 4,
      stop: ["2"],
      n: 1,
      logit_bias: { 5: -100 },
      stream_options: { include_usage: true },
      reasoning: { effort: "low", max_tokens: 2 },
      thinking: { type: "enabled", budget_tokens: 1 },
      chat_template_kwargs: { enable_thinking: true },
    },
  ],
  [
    "/v1/chat/completions",
    {
      messages: [user],
      max_tokens: 4,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      seed: 1,
      logprobs: true,
      top_logprobs: 2,
      response_format: { type: "json_schema", json_schema: { name: "x", schema: parameters } },
      dry_sequence_breakers: ["\n"],
      mirostat: 0,
      metadata: { task: "title" },
    },
  ],
  ["/v1/chat/completions", { messages: [user], max_tokens: 4, grammar: 'root ::= "a" | "b"' }],
  ["/v1/chat/completions/control", { id: "chatcmpl-x", action: "reasoning_end" }],
  ["/v1/chat/completions/input_tokens", { messages: [user] }],
  ["/v1/completions", { prompt: ["1+1=", [5, 6]], max_tokens: 4, logprobs: 1, echo: true, n: 2 }],
  ["/completion", { prompt: "1+1=", n_predict: 4, json_schema: parameters }],
  [
    "/v1/responses",
    {
      input: [
        { type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] },
        { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "x" }] },
        { type: "function_call", call_id: "1", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "1", output: [{ type: "input_text", text: "x" }] },
        { type: "item_reference", id: "rs_2" },
        user,
      ],
      instructions: "Be brief.",
      max_output_tokens: 4,
      tools: [{ type: "function", name: "f", parameters }, { type: "web_search" }],
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ name: "f" }] },
      text: { format: { type: "json_schema", name: "x", schema: parameters } },
      reasoning: { effort: "low", summary: "auto" },
      include: ["message.output_text.logprobs"],
      previous_response_id: null,
      store: true,
    },
  ],
  [
    "/v1/messages",
    {
      model: "claude-x",
      max_tokens: 4,
      system: [
        { type: "text", text: "x-anthropic-billing-header: x" },
        { type: "text", text: "x" },
      ],
      messages: [
        { role: "user", content: [{ type: "text", text: "Hi" }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "x", signature: "x" },
            { type: "tool_use", id: "1", name: "f", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "1", content: [{ type: "text", text: "x" }] },
          ],
        },
      ],
      tools: [
        { name: "f", input_schema: parameters },
        { type: "web_search_1", name: "w" },
      ],
      tool_choice: { type: "auto" },
      thinking: { type: "enabled", budget_tokens: 1 },
      stop_sequences: ["2"],
    },
  ],
  ["/v1/messages/count_tokens", { model: "claude-x", messages: [user] }],
  ["/tokenize", { content: "x", with_pieces: true, add_special: true }],
  ["/detokenize", { tokens: [5, 6] }],
  ["/apply-template", { messages: [user] }],
];

const GETS = [
  "/health",
  "/v1/models",
  "/props",
  "/slots",
  "/metrics",
  "/openapi.json",
  "/",
  "/v1/responses/x",
];
const PATHS = [
  "/v1/models/%00",
  "/%2e%2e/etc/passwd",
  "//v1//models",
  "/v1/models/__proto__",
  "/v1/responses/%ff",
  "/think/v1/x?a=%",
  "*",
  "/v1/models/" + "a".repeat(3000),
];

function http(method, path, body, headers = {}) {
  const all = {
    host: "localhost",
    "content-type": "application/json",
    "content-length": body.length,
    connection: "close",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  return Buffer.concat([head, body]);
}

const json = (value) => Buffer.from(JSON.stringify(value) ?? "null");

/** A valid request with a thing or two of it changed. */
function wrongTypes(dice) {
  const [path, body] = dice.pick(VALID);
  let value = { ...body, ...(dice.chance(0.4) ? { stream: true } : {}) };
  for (let i = dice.chance(0.7) ? 0 : dice.below(3); i >= 0; i--) {
    const changed = dice.mutated(value);
    // The body mostly stays an object, else nothing behind its check would be met.
    value = typeof changed === "object" && changed !== null ? changed : value;
  }
  return { bytes: http("POST", path, json(value)) };
}

function deep(dice) {
  const [path, body] = dice.pick(VALID);
  const levels = dice.pick([30, 63, 64, 65, 1000, 200_000]);
  const key = dice.pick(Object.keys(body));
  const [open, close] = dice.pick([
    ["[", "]"],
    ['{"a":', "}"],
  ]);
  const text = `{${JSON.stringify(key)}:${open.repeat(levels)}1${dice.chance(0.7) ? close.repeat(levels) : ""}}`;
  return { bytes: http("POST", path, Buffer.from(text)) };
}

function huge(dice) {
  const [path, body] = dice.pick(VALID);
  const key = dice.pick(Object.keys(body));
  const value = dice.pick([
    () => "a ".repeat(dice.pick([10_000, 200_000])),
    () => "x".repeat(9 * 2 ** 20),
    () => Array.from({ length: dice.pick([200, 5000, 50_000]) }, () => user),
    () => Array.from({ length: 100_000 }, (_, i) => i % 100),
    () => Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])),
  ])();
  return { bytes: http("POST", path, json({ ...body, [key]: value })) };
}

function oddHeaders(dice) {
  const [path, body] = dice.pick(VALID);
  const bytes = json(body);
  const headers = dice.pick([
    { "content-type": "text/plain" },
    { "content-type": dice.text(30).replace(/[^\x20-\x7e]/g, "") },
    { host: "evil.example" },
    { host: "a/b?c" },
    { origin: "http://evil.example" },
    { "content-length": dice.pick(["-1", "1e9", "99999999999", "x"]) },
    { "content-length": bytes.length + 50 },
    { "transfer-encoding": "chunked" },
    { authorization: "Bearer " + "x".repeat(5000) },
    { "x-request-id": "x".repeat(500) },
    { "content-encoding": "gzip" },
    { expect: "100-continue" },
    { cookie: "x".repeat(20_000) },
    { upgrade: "websocket", connection: "upgrade" },
  ]);
  return { bytes: http("POST", path, bytes, headers), leaves: dice.chance(0.5) };
}

function otherRoute(dice) {
  const method = dice.pick(["GET", "HEAD", "DELETE", "PUT", "OPTIONS", "PATCH", "TRACE", "FOO"]);
  return { bytes: http(method, dice.pick([...GETS, ...PATHS]), Buffer.alloc(0)) };
}

/** A good request whose client does not wait for the end. */
function goneClient(dice) {
  const [path, body] = dice.pick(VALID.slice(0, 9));
  const isCut = dice.chance(0.5);
  const whole = http("POST", path, json({ ...body, stream: dice.chance(0.5), max_tokens: 200 }));
  const bytes = isCut ? whole.subarray(0, dice.below(whole.length)) : whole;
  return { bytes, closes: dice.pick(["half", "reset"]), afterMs: dice.below(60) };
}

const KINDS = [
  [4, (dice) => ({ bytes: dice.bytes(400) })],
  [8, (dice) => ({ bytes: http("POST", dice.pick(VALID)[0], dice.bytes(300)) })],
  [12, (dice) => ({ bytes: http("POST", dice.pick(VALID)[0], json(dice.value(5))) })],
  [50, wrongTypes],
  [4, deep],
  [1, huge],
  [6, oddHeaders],
  [6, otherRoute],
  [9, goneClient],
];
const WEIGHTS = KINDS.reduce((sum, [weight]) => sum + weight, 0);

/**
 * The request of a number: its bytes; `leaves`: the client goes when it has sent them; `closes`: it
 * half-closes or resets the socket after a while.
 */
export function hostileRequest(seed, index) {
  const dice = new Dice(Math.imul(seed, 1_000_003) + index);
  let at = dice.below(WEIGHTS);
  for (const [weight, make] of KINDS) {
    if (at < weight) return make(dice);
    at -= weight;
  }
  throw new Error("No kind was chosen.");
}
