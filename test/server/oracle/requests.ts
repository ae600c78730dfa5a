// Random valid requests to the routes that answer conversations, as clients write them.
import fc from "fast-check";

export const text = fc.constantFrom(
  "What is 1+1?",
  "2+2",
  "你好 🙂",
  "Hi",
  "line\nbreak",
  "<think>",
  "\u2028",
);
export const MAX_TOKENS = fc.constantFrom(1, 2, 7, 20, 60);
export const SEED = fc.nat({ max: 1000 });
export const CHANCE = fc.constantFrom(0, 0.6, 1);

export const PARAMETERS = {
  type: "object",
  properties: { a: { type: "integer", minimum: 0, maximum: 9 }, s: { enum: ["x", "y"] } },
  required: ["a"],
  additionalProperties: false,
};
export const SCHEMA = {
  type: "object",
  properties: { n: { enum: [1, 2] } },
  required: ["n"],
  additionalProperties: false,
};
export const EFFORT = fc.constantFrom("none", "minimal", "low", "medium", "high");

/** A record of which each field may be missing. */
export const some = <T extends object>(fields: {
  [K in keyof T]: fc.Arbitrary<T[K]>;
}): fc.Arbitrary<Partial<T>> => fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const responsesInput = fc.oneof(
  text,
  fc
    .tuple(
      fc.array(
        fc.oneof(
          fc.record({ role: fc.constantFrom("user", "developer", "system"), content: text }),
          fc.record({
            type: fc.constant("message"),
            role: fc.constant("assistant"),
            content: fc.array(
              fc.record({ type: fc.constant("output_text"), text, annotations: fc.constant([]) }),
              { minLength: 1, maxLength: 2 },
            ),
          }),
          fc.record({
            type: fc.constant("reasoning"),
            id: fc.constant("rs_1"),
            summary: fc.constant([]),
          }),
        ),
        { maxLength: 4 },
      ),
      fc.record({
        role: fc.constant("user"),
        content: fc.array(fc.record({ type: fc.constant("input_text"), text }), {
          minLength: 1,
          maxLength: 2,
        }),
      }),
    )
    .map(([before, last]) => [...before, last]),
);

const responsesTools = fc.constantFrom(
  {},
  ...["auto", "none", "required", { type: "function", name: "f" }].map((tool_choice) => ({
    tools: [
      { type: "function", name: "f", description: "does f", parameters: PARAMETERS, strict: true },
      { type: "web_search" },
    ],
    tool_choice,
  })),
);

/** Requests to /v1/responses, without `stream`. */
export const responsesRequest: fc.Arbitrary<object> = fc
  .tuple(
    fc.record({ input: responsesInput, max_output_tokens: MAX_TOKENS, seed: SEED }),
    some({
      instructions: text,
      temperature: CHANCE,
      top_p: fc.constant(0.9),
      store: fc.boolean(),
      reasoning: some({ effort: EFFORT, summary: fc.constantFrom("auto", "detailed") }),
      include: fc.constant(["message.output_text.logprobs", "reasoning.encrypted_content"]),
      top_logprobs: fc.constantFrom(0, 2),
      metadata: fc.constant({ a: "b" }),
      parallel_tool_calls: fc.boolean(),
      truncation: fc.constant("auto"),
      text: fc.constantFrom(
        { format: { type: "text" } },
        { format: { type: "json_object" }, verbosity: "low" },
        { format: { type: "json_schema", name: "n", schema: SCHEMA, strict: true } },
      ),
    }),
    responsesTools,
  )
  .map(([fixed, optional, tools]) => {
    const choice = (tools as { tool_choice?: unknown }).tool_choice ?? "auto";
    const isForced = choice !== "auto" && choice !== "none";
    // A forced call and a form of the answer exclude each other.
    const { text: form, ...rest } = optional as { text?: unknown };
    return {
      ...fixed,
      ...rest,
      ...tools,
      ...(isForced || form === undefined ? {} : { text: form }),
    };
  });

const turn = (role: "user" | "assistant"): fc.Arbitrary<object> =>
  fc.record({
    role: fc.constant(role),
    content: fc.oneof(
      text,
      fc.array(
        fc.record({
          type: fc.constant("text"),
          text,
          cache_control: fc.constant({ type: "ephemeral" }),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    ),
  });

const messagesTools = fc.constantFrom(
  {},
  ...[{ type: "auto" }, { type: "none" }, { type: "any" }, { type: "tool", name: "f" }].map(
    (tool_choice) => ({
      tools: [
        { name: "f", description: "does f", input_schema: PARAMETERS },
        { type: "web_search_20250305", name: "web_search" },
      ],
      tool_choice,
    }),
  ),
);

/** Requests to /v1/messages, without `stream`. */
export const messagesRequest: fc.Arbitrary<object> = fc
  .tuple(
    fc.record({
      model: fc.constantFrom("claude-sonnet-4", "claude-3-5-haiku"),
      max_tokens: MAX_TOKENS,
      seed: SEED,
    }),
    fc.array(fc.oneof(turn("user"), turn("assistant")), { maxLength: 3 }),
    turn("user"),
    some({
      system: fc.oneof(text, fc.constant([{ type: "text", text: "Be brief." }])),
      temperature: CHANCE,
      top_k: fc.constantFrom(0, 5),
      stop_sequences: fc.constantFrom([], ["2"], ["\n\n", "zzz"]),
      thinking: fc.constantFrom(
        { type: "enabled", budget_tokens: 8 },
        { type: "adaptive" },
        { type: "disabled" },
        { type: "enabled", budget_tokens: 1024, display: "omitted" },
      ),
      metadata: fc.constant({ user_id: "u" }),
    }),
    messagesTools,
  )
  .map(([fixed, before, last, optional, tools]) => ({
    ...fixed,
    ...optional,
    ...tools,
    messages: [...before, last],
  }));
