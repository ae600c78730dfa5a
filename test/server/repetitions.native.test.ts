// Grammars and schemas whose repetitions would be enormous if they were written out: each request
// is answered, or refused with its parameter, and the server goes on.
import { afterAll, beforeAll, expect, it } from "vitest";
import { jsonOf, testApp } from "./app.js";
import type { TestApp } from "./app.js";

const NESTED = `root ::= ${"(".repeat(6)}"a"${"){1,1000}".repeat(6)}`;
const object = (properties: object): object => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});
const schema = (value: object): object => ({
  response_format: {
    type: "json_schema",
    json_schema: { name: "a", schema: object({ a: value }) },
  },
});
const nestedArrays = (depth: number): object =>
  depth === 0
    ? { type: "integer" }
    : { type: "array", minItems: 1, maxItems: 2000, items: nestedArrays(depth - 1) };

let server: TestApp;
beforeAll(async () => void (server = await testApp()));
afterAll(() => server[Symbol.asyncDispose]());

it.each<[string, object]>([
  ["a count of a million", { grammar: 'root ::= "a"{1,1000000}' }],
  ["counts within counts", { grammar: NESTED }],
  ["counts of what may be empty", { grammar: 'root ::= (("a"?){0,2000}){0,2000}' }],
  ["rules that double", { grammar: doubling(40) }],
  [
    "a pattern with counts within counts",
    schema({ type: "string", pattern: "^((a{1,999}){1,999}){1,999}$" }),
  ],
  [
    "a pattern of many choices",
    schema({ type: "string", pattern: `^(${"(a|b|ab)*".repeat(200)})$` }),
  ],
  ["arrays within arrays", schema(nestedArrays(10))],
  ["a million items", schema({ type: "array", minItems: 1_000_000, items: {} })],
])("%s", async (_, extra) => {
  const response = await server.post("/v1/chat/completions", {
    messages: [{ role: "user", content: "What is 1+1?" }],
    max_tokens: 30,
    reasoning_effort: "none",
    ...extra,
  });
  const body = await jsonOf<{ error?: { param: string | null } }>(response, response.status);
  expect([200, 400]).toContain(response.status);
  if (response.status === 400) expect(body.error?.param).toMatch(/^(grammar|response_format)/);
  const after = await server.post("/v1/chat/completions", {
    messages: [{ role: "user", content: "What is 1+1?" }],
    max_tokens: 3,
  });
  expect(after.status).toBe(200);
});

function doubling(depth: number): string {
  const rules = Array.from({ length: depth }, (_, i) => `r${i} ::= r${i + 1} r${i + 1}`);
  return ["root ::= r0", ...rules, `r${depth} ::= "a"`].join("\n");
}
