// Checks made of JSON Schemas: made once for equal schemas, and their own from then on.
import { describe, expect, it } from "vitest";
import { compileSchema } from "../../../lib/base/schema/json-schema.js";

describe("a check", () => {
  it("is made once for equal schemas, and anew for others", () => {
    const schema = (maximum: number): object => ({
      type: "object",
      properties: { n: { type: "integer", maximum } },
      title: "made once",
    });
    const checks = [1, 1, 2, 1].map((maximum) => compileSchema(schema(maximum), "schema"));
    expect(new Set(checks).size).toBe(2);
    expect(checks.map((check) => check({ n: 2 }) === undefined)).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });

  it("stays what its schema was, whatever becomes of the schema", () => {
    const schema = { enum: ["a"], title: "changed later" };
    const check = compileSchema(schema, "schema");
    schema.enum[0] = "b";
    expect([
      check("a"),
      compileSchema({ enum: ["a"], title: "changed later" }, "schema")("a"),
    ]).toEqual([undefined, undefined]);
    expect(compileSchema(schema, "schema")("a")).toContain(
      "must be equal to one of the allowed values",
    );
  });

  it("of a schema that is none is refused, also when JSON would not show what is wrong", () => {
    compileSchema({ title: "shown" }, "schema");
    for (const wrong of [
      { title: "shown", minimum: () => 1 },
      { title: "shown", type: "nothing" },
    ]) {
      for (let i = 0; i < 2; i++)
        expect(() => compileSchema(wrong, "schema")).toThrow(
          expect.objectContaining({ code: "SCHEMA_UNSUPPORTED" }),
        );
    }
  });

  it("of a schema with names for places can be made again", () => {
    const named = {
      $id: "https://example.org/named",
      $defs: { n: { $anchor: "n", type: "integer" } },
      $ref: "#n",
    };
    for (let i = 0; i < 2; i++)
      expect([compileSchema(named, "schema")(1), compileSchema(named, "schema")("x")]).toEqual([
        undefined,
        expect.any(String),
      ]);
  });
});
