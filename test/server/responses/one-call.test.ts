// `parallel_tool_calls: false` in the Responses API, on events as a run makes them.
import { expect, test } from "vitest";
import type { RunEvent } from "../../../lib/server/core/events.js";
import { ResponseBuilder } from "../../../lib/server/responses/builder.js";
import { responsesFields } from "../../../lib/server/responses/fields.js";

const call = (i: number): RunEvent[] => {
  const at = { choice: 0, call: i } as const;
  return [
    { type: "tool-start", ...at, id: `call_${i}`, name: "f" },
    { type: "tool-delta", ...at, text: "{}" },
    { type: "tool-call", ...at, id: `call_${i}`, name: "f", arguments: "{}", wasStreamed: true },
  ];
};

const finish: RunEvent = {
  type: "finish",
  choice: 0,
  reason: "tool-calls",
  seed: 1,
  usage: { promptTokens: 5, cachedTokens: 2, completionTokens: 3, reasoningTokens: 0 },
  timings: {
    firstTokenMs: 1,
    promptMs: 1,
    decodeMs: 4,
    promptTokensPerSecond: 1,
    tokensPerSecond: 1,
    draftedTokens: 0,
    acceptedTokens: 0,
  },
};

test.each([
  [false, 1],
  [true, 2],
])("with parallel_tool_calls: %s the response has %i of two calls", (parallel, count) => {
  const request = responsesFields.parse({ input: "x", parallel_tool_calls: parallel });
  const builder = new ResponseBuilder({
    head: { id: "resp_1", createdAt: 1, model: "m", request },
    reasoning: "text",
    wantsLogprobs: false,
    isOneCall: !parallel,
  });
  const events = [...call(0), ...call(1), finish].flatMap((event) => builder.take(event));
  expect(builder.response?.output.map(({ type }) => type)).toEqual(
    Array.from({ length: count }, () => "function_call"),
  );
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
  // Two tokens after the first in 4 ms.
  expect(events.at(-1)).toMatchObject({
    type: "response.completed",
    timings: { prompt_n: 3, cache_n: 2, predicted_n: 3, predicted_per_second: 500 },
  });
});
