// The types of the packages `openai` and `@anthropic-ai/sdk` as oracle: every body and every event
// of random valid requests fits them.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../lib/model/model.js";
import { createApp } from "../../../lib/server/app.js";
import type { R1App } from "../../../lib/server/app.js";
import { loadTiny } from "../../fixtures/tiny.js";
import { ask, eventsOf } from "../ask.js";
import { both, expectType } from "./both.js";
import { messagesRequest, responsesRequest } from "./requests.js";
import { validatorsOf } from "./schemas.js";
import type { Validator } from "./schemas.js";

const REQUESTS = 60;
/** The same requests each time; R1_SEED=N asks others. */
const seed = Number(process.env["R1_SEED"] ?? 1);

let model: Model;
let app: R1App;
let types: Record<"response" | "responseEvent" | "message" | "messageEvent", Validator>;
beforeAll(async () => {
  model = await loadTiny({ sequences: 4, contextSize: 8192, deterministic: true });
  app = createApp(model);
  types = validatorsOf({
    response: { file: "openai/resources/responses/responses", type: "Response" },
    responseEvent: { file: "openai/resources/responses/responses", type: "ResponseStreamEvent" },
    message: { file: "@anthropic-ai/sdk/resources/messages/messages", type: "Message" },
    messageEvent: {
      file: "@anthropic-ai/sdk/resources/messages/messages",
      type: "RawMessageStreamEvent",
    },
  });
});
afterAll(() => model.close());

/** What both forms must agree on: ids and times are each one's own. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, field: unknown) =>
      [
        "id",
        "call_id",
        "created_at",
        "completed_at",
        "usage",
        "bytes",
        "logprob",
        "logprobs",
      ].includes(key)
        ? null
        : field,
    ),
  );

describe("the Responses API", () => {
  it("sends only what openai's types know, in both forms the same", async () => {
    await fc.assert(
      fc.asyncProperty(responsesRequest, async (request) => {
        const [whole, stream] = await both(app, "/v1/responses", request);
        const events = eventsOf(stream);
        expectType(types.response, whole);
        for (const [i, { event, data }] of events.entries()) {
          expectType(types.responseEvent, data);
          expect(data).toMatchObject({ type: event, sequence_number: i });
        }
        const last = events.at(-1)?.data["response"];
        expectType(types.response, last);
        expect(plain((last as { output: unknown }).output)).toEqual(plain(whole["output"]));
        expect((last as { status: unknown }).status).toBe(whole["status"]);
        if (request && "store" in request && request.store === false) return;
        const kept = await ask(app, "GET", `/v1/responses/${String(whole["id"])}`);
        expect(JSON.parse(kept.text)).toEqual(whole);
      }),
      { numRuns: REQUESTS, seed },
    );
  });
});

describe("the Messages API", () => {
  it("sends only what Anthropic's types know, in both forms the same", async () => {
    await fc.assert(
      fc.asyncProperty(messagesRequest, async (request) => {
        const [whole, stream] = await both(app, "/v1/messages", request);
        const events = eventsOf(stream);
        expectType(types.message, whole);
        let index = -1;
        for (const { event, data } of events) {
          expect(data["type"]).toBe(event);
          if (event === "ping") continue;
          expectType(types.messageEvent, data);
          if (event === "content_block_start") expect(data["index"]).toBe(++index);
          else if (event.startsWith("content_block")) expect(data["index"]).toBe(index);
        }
        expect(events[0]?.event).toBe("message_start");
        expect(events.at(-1)?.event).toBe("message_stop");
        expect(index + 1).toBe((whole["content"] as unknown[]).length);
        const end = events.find(({ event }) => event === "message_delta")?.data["delta"];
        expect(end).toMatchObject({ stop_reason: whole["stop_reason"] });
      }),
      { numRuns: REQUESTS, seed },
    );
  });
});
