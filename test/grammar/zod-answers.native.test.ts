// Claims about schemas written with Zod, given as they are: answers that Zod itself accepts, and
// refusals before the run for what no JSON Schema can say or no grammar can keep.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Model } from "../../lib/model/model.js";
import { loadTiny } from "../fixtures/tiny.js";

const SCHEMAS = {
  "an object": z.object({
    name: z.string().min(1).max(12),
    age: z.int().min(0).max(150),
    tags: z
      .array(z.enum(["a", "ü"]))
      .max(2)
      .optional(),
  }),
  "a tuple": z.tuple([z.string().max(4), z.boolean()]),
  "a union that is discriminated": z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("circle"), radius: z.number().min(0).max(9) }),
    z.object({ kind: z.literal("square"), side: z.int().min(1).max(99) }),
  ]),
  "a pattern": z.string().regex(/^[a-z]{2,4}-\d{3}$/),
  "a nullable date": z.nullable(z.iso.date()),
  "a record": z.record(z.string(), z.int().min(0).max(9)),
  "a record of short names": z.record(z.string().max(3), z.int().min(0).max(9)),
};

let model: Model;
beforeAll(
  async () => void (model = await loadTiny({ contextSize: 4096, sequences: 4, maxQueue: 200 })),
);
afterAll(() => model.close());

describe("a Zod schema as response.schema", () => {
  it.each(Object.entries(SCHEMAS))(
    "%s: every answer that ended is one Zod accepts",
    async (_, schema) => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, async (_, seed) => {
          const run = model.chat([{ role: "user", content: `What is ${seed}+1?` }], {
            seed,
            response: { schema },
            reasoning: { maxTokens: 4 },
            maxTokens: 200,
          });
          return run.result();
        }),
      );
      const ended = answers.filter(({ finishReason }) => finishReason === "stop");
      expect(ended.length).toBeGreaterThan(0);
      for (const { answer } of ended)
        expect(schema.safeParse(JSON.parse(answer)).error, answer).toBeUndefined();
    },
  );

  it("may refer to itself", async () => {
    const Node = z.object({
      value: z.int().min(0).max(9),
      get next() {
        return z.nullable(Node);
      },
    });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, seed) =>
        model
          .chat([{ role: "user", content: "What is 1+1?" }], {
            seed,
            response: { schema: Node },
            reasoning: { maxTokens: 4 },
            maxTokens: 400,
          })
          .result(),
      ),
    );
    const ended = answers.filter(({ finishReason }) => finishReason === "stop");
    expect(ended.length).toBeGreaterThan(0);
    for (const { answer } of ended)
      expect(Node.safeParse(JSON.parse(answer)).success, answer).toBe(true);
  });

  it.each([
    ["a bigint", z.object({ a: z.bigint() })],
    ["a transform", z.string().transform((text) => text.length)],
  ])("%s, which is no JSON Schema, is refused at the call", (_, schema) => {
    expect(() => model.chat([{ role: "user", content: "x" }], { response: { schema } })).toThrow(
      expect.objectContaining({ code: "SCHEMA_UNSUPPORTED" }),
    );
  });

  it("a multiple of a decimal, which doubles cannot keep, ends the generation before the run", async () => {
    const schema = z.object({ price: z.number().multipleOf(0.01) });
    const run = model.chat([{ role: "user", content: "x" }], { response: { schema } });
    await expect(run.result()).rejects.toMatchObject({ code: "SCHEMA_UNSUPPORTED" });
  });
});
