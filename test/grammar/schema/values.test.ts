// Claims on schemas that list their values twice; pure.
import { describe, expect, it } from "vitest";
import { schemaToGrammar } from "../../../lib/grammar/schema/schema-grammar.js";

const plain = (schema: object): object => schema;
const alone = (schema: object): object => ({ allOf: [schema] });
const beside = (schema: object): object => ({ allOf: [{ type: "integer" }, schema] });

describe.each([plain, alone, beside])("const beside enum (%o)", (wrap) => {
  it("allows what both list", () => {
    const grammar = schemaToGrammar(wrap({ const: 1, enum: [1, 2] }));
    expect(grammar).toContain('"1"');
    expect(grammar).not.toContain('"2"');
  });

  it("is refused where they share nothing", () => {
    expect(() => schemaToGrammar(wrap({ const: 1, enum: [2] }))).toThrow(
      expect.objectContaining({ code: "SCHEMA_UNSUPPORTED" }),
    );
  });
});
