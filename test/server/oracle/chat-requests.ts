// Random valid requests to /v1/chat/completions and /v1/completions, as clients write them.
import fc from "fast-check";
import { CHANCE, EFFORT, PARAMETERS, SCHEMA, SEED, some, text } from "./requests.js";

const MAX_TOKENS = fc.constantFrom(1, 3, 12, 24);

const content = fc.oneof(
  text,
  fc.array(fc.record({ type: fc.constant("text"), text }), { minLength: 1, maxLength: 2 }),
);

/** A call and its result, which stand together. */
const callAndResult = fc
  .record({ given: fc.constantFrom("", "{}", '{"a":1}', '{"a":'), result: fc.oneof(text, content) })
  .map(({ given, result }) => [
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: given } }],
    },
    { role: "tool", tool_call_id: "call_1", content: result },
  ]);

const turns = fc.oneof(
  fc.record({ role: fc.constantFrom("user", "system", "developer"), content }).map((one) => [one]),
  fc
    .record({
      role: fc.constant("assistant"),
      content: fc.oneof(content, fc.constant("<think>\nhm\n</think>\n\n4"), fc.constant(null)),
      refusal: fc.constant(null),
      reasoning_content: fc.constantFrom("hm", null),
      tool_calls: fc.constant([]),
    })
    .map((one) => [one]),
  callAndResult,
);

const messages = fc
  .tuple(fc.array(turns, { maxLength: 3 }), fc.record({ role: fc.constant("user"), content }))
  .map(([before, last]) => [...before.flat(), last]);

const tools = fc.constantFrom(
  {},
  ...["auto", "none", "required", { type: "function", function: { name: "f" } }].map(
    (tool_choice) => ({
      tools: [
        {
          type: "function",
          function: { name: "f", description: "does f", parameters: PARAMETERS, strict: true },
        },
        { type: "function", function: { name: "g" } },
      ],
      tool_choice,
    }),
  ),
);

/** Requests to /v1/chat/completions, without `stream`. */
export const chatRequest: fc.Arbitrary<object> = fc
  .tuple(
    fc.record({ model: fc.constant("tiny-r1"), messages, max_tokens: MAX_TOKENS, seed: SEED }),
    some({
      n: fc.constantFrom(1, 3),
      temperature: CHANCE,
      top_p: fc.constantFrom(0.5, 1),
      presence_penalty: fc.constant(0.5),
      stop: fc.constantFrom("2", ["\n\n", "zzz"], []),
      reasoning_effort: EFFORT,
      reasoning_format: fc.constantFrom("reasoning_content", "reasoning", "both", "tags", "hidden"),
      parallel_tool_calls: fc.boolean(),
      stream_options: fc.record({ include_usage: fc.boolean() }),
      timings_per_token: fc.boolean(),
      return_progress: fc.boolean(),
      response_format: fc.constantFrom(
        { type: "text" },
        { type: "json_object" },
        { type: "json_schema", json_schema: { name: "n", schema: SCHEMA, strict: true } },
      ),
      metadata: fc.constant({ a: "b" }),
      store: fc.boolean(),
    }),
    fc.constantFrom({}, { logprobs: true }, { logprobs: true, top_logprobs: 2 }),
    tools,
  )
  .map(([fixed, { response_format: form, ...optional }, logprobs, given]) => {
    const choice = (given as { tool_choice?: unknown }).tool_choice ?? "auto";
    const isForced = choice !== "auto" && choice !== "none";
    // A forced call and a form of the answer exclude each other.
    const answer = isForced || form === undefined ? {} : { response_format: form };
    return { ...fixed, ...optional, ...answer, ...logprobs, ...given };
  });

const prompt = fc.oneof(text, fc.array(fc.integer({ min: 3, max: 200 }), { minLength: 1 }));

/** Requests to /v1/completions, without `stream`. */
export const completionRequest: fc.Arbitrary<object> = fc
  .tuple(
    fc.record({
      model: fc.constant("tiny-r1"),
      prompt: fc.oneof(prompt, fc.array(prompt, { minLength: 1, maxLength: 3 })),
      max_tokens: MAX_TOKENS,
      seed: SEED,
    }),
    some({
      n: fc.constantFrom(1, 2),
      temperature: CHANCE,
      echo: fc.boolean(),
      logprobs: fc.constantFrom(0, 2),
      stop: fc.constantFrom("2", ["\n"]),
      stream_options: fc.record({ include_usage: fc.boolean() }),
      suffix: fc.constantFrom(null, ""),
      best_of: fc.constant(1),
    }),
  )
  .map(([fixed, optional]) => ({ ...fixed, ...optional }));
