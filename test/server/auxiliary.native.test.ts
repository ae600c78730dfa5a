// Titles and tags that a chat client asks for never cost the conversation its cells.
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonOf, testApp } from "./app.js";
import type { Completion, TestApp } from "./app.js";

let server: TestApp;
// One sequence, which the conversation has: an auxiliary request has no other to take.
beforeAll(async () => (server = await testApp({}, { sequences: 1, guestSequence: true })));
afterAll(async () => server[Symbol.asyncDispose]());

const story = "one two three four five ".repeat(20);
const ask = (body: object): Promise<Completion> =>
  jsonOf<Completion>(server.post("/v1/chat/completions", { seed: 1, max_tokens: 8, ...body }));
const cachedOf = ({ usage }: Completion): number =>
  usage?.prompt_tokens_details?.cached_tokens ?? 0;

test("after ten titles the conversation finds all of its prompt in the cache", async () => {
  const messages = [{ role: "user", content: story }];
  const first = await ask({ messages });
  for (let i = 0; i < 10; i++) {
    const content = `### Task:\nGenerate a title for chat ${i}.\n${story}`;
    const title = await ask({ messages: [{ role: "user", content }] });
    expect(title.choices[0]?.message.reasoning_content ?? "").toBe("");
  }
  const again = await ask({ messages });
  expect(cachedOf(again)).toBe((first.usage?.prompt_tokens ?? 0) - 1);
});

test("nor do raw completions that are marked as auxiliary", async () => {
  const messages = [{ role: "user", content: `${story} again` }];
  const first = await ask({ messages });
  for (let i = 0; i < 3; i++)
    await jsonOf(
      server.post(
        "/v1/completions",
        { prompt: `${i} ${story}`, max_tokens: 8 },
        { "x-r1-aux": "1" },
      ),
    );
  expect(cachedOf(await ask({ messages }))).toBe((first.usage?.prompt_tokens ?? 0) - 1);
});

test("a title that has no room beside the conversation is refused with 503", async () => {
  await using small = await testApp({}, { sequences: 1, guestSequence: true, contextSize: 512 });
  const long = "one two three four five ".repeat(30);
  const messages = [{ role: "user", content: long }];
  const chat = { messages, max_tokens: 8, seed: 1 };
  const first = await jsonOf<Completion>(small.post("/v1/chat/completions", chat));
  expect(first.usage?.prompt_tokens).toBeGreaterThan(256);
  const content = `### Task:\nGenerate a title.\n${long}`;
  const title = await small.post("/v1/chat/completions", {
    messages: [{ role: "user", content }],
    max_tokens: 8,
  });
  expect(title.status).toBe(503);
  const again = await jsonOf<Completion>(small.post("/v1/chat/completions", chat));
  expect(cachedOf(again)).toBe((first.usage?.prompt_tokens ?? 0) - 1);
});
