// Claims about `multipleOf` in grammars: what is written is a multiple within the bounds, every
// multiple of few can be written, and what cannot be kept is refused in words.
import { describe, expect, it } from "vitest";
import { isMultiple } from "../../../lib/base/schema/values.js";
import { schemaToGrammar } from "../../../lib/grammar/schema/schema-grammar.js";
import { parseGrammar } from "../../fixtures/grammar-parse.js";
import { accepts, numbers, sampler } from "../../fixtures/grammar-text.js";

interface Numeric {
  readonly type: "integer" | "number";
  readonly multipleOf: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

const fits = (value: number, schema: Numeric): boolean =>
  (schema.type === "number" || Number.isInteger(value)) &&
  isMultiple(value, schema.multipleOf) &&
  value >= (schema.minimum ?? -Infinity) &&
  value <= (schema.maximum ?? Infinity) &&
  value > (schema.exclusiveMinimum ?? -Infinity) &&
  value < (schema.exclusiveMaximum ?? Infinity);

const STEPS = [2, 7, 10, 12, 100, 86_400, 0.5, 0.25, 1.5];

function schemas(): Numeric[] {
  const bounds: readonly Omit<Numeric, "type" | "multipleOf">[] = [
    {},
    { minimum: 0 },
    { maximum: -1 },
    { minimum: -7.5, maximum: 1234 },
    { exclusiveMinimum: 0, maximum: 999_999 },
    { exclusiveMinimum: -100, exclusiveMaximum: 100 },
    { minimum: 123_456 },
  ];
  return (["integer", "number"] as const).flatMap((type) =>
    STEPS.flatMap((multipleOf) => bounds.map((bound) => ({ type, multipleOf, ...bound }))),
  );
}

describe("multipleOf", () => {
  it("writes nothing but multiples within the bounds", () => {
    let made = 0;
    for (const schema of schemas()) {
      const name = JSON.stringify(schema);
      const near = [schema.minimum, schema.exclusiveMinimum, 0].some((low) => (low ?? -1) >= 0);
      let source: string;
      try {
        source = schemaToGrammar(schema);
      } catch (error) {
        // No multiple of 86400 lies between these bounds but 0.
        expect(`${near} ${String(error)}`, name).toMatch(/leaves no multiple/);
        continue;
      }
      const next = sampler(parseGrammar(source), numbers(++made));
      for (let i = 0; i < 25; i++) {
        const text = next();
        expect(fits(JSON.parse(text) as number, schema), `${name}: ${text}`).toBe(true);
      }
    }
    expect(made).toBe(schemas().length);
  });

  it("can write each multiple from -300 to 300, and nothing between", () => {
    for (const multipleOf of [3, 7, 0.5, 0.25, 1.5])
      for (const schema of [
        { type: "number", multipleOf, minimum: -300, maximum: 300 },
        { type: "number", multipleOf },
        { type: "integer", multipleOf, minimum: -50 },
      ] as const) {
        const grammar = parseGrammar(schemaToGrammar(schema));
        for (let n = -6000; n <= 6000; n += 29) {
          const value = n / 20;
          const isIn = accepts(grammar, String(value));
          expect(isIn, `${JSON.stringify(schema)}: ${value}`).toBe(fits(value, schema));
        }
      }
  });

  it("is kept beside itself, as what both have in common", () => {
    const grammar = parseGrammar(
      schemaToGrammar({ allOf: [{ multipleOf: 4 }, { multipleOf: 6 }], type: "integer" }),
    );
    expect(["0", "12", "-24", "4", "6", "18"].map((text) => accepts(grammar, text))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it.each([
    [{ type: "integer", multipleOf: 1009 }, /keeps multiples of up to 1000/],
    [{ type: "number", multipleOf: 0.01 }, /integers of the smaller unit/],
    [{ type: "integer", multipleOf: 0.1 }, /validators disagree/],
    [{ type: "integer", multipleOf: 7, minimum: 8, maximum: 13 }, /leaves no multiple/],
    [{ type: "number", multipleOf: 1e300 }, /leaves no multiple/],
    [{ type: "number", multipleOf: 0 }, /above 0/],
    [{ type: "number", multipleOf: -2 }, /above 0/],
    [
      { allOf: [{ multipleOf: 123_456_789_012_345 }, { multipleOf: 987_654_321_098_766 }] },
      /too far apart/,
    ],
  ])("refuses %j in words", (schema, words) => {
    expect(() => schemaToGrammar(schema)).toThrow(words);
  });
});
