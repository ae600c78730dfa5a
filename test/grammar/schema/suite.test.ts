// Claims about the grammars of the JSON Schema test suite's schemas: nothing invalid is in them,
// everything out of them is valid.
import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../../lib/base/errors.js";
import { parseGrammar } from "../../fixtures/grammar-parse.js";
import { schemaToGrammar } from "../../../lib/grammar/schema/schema-grammar.js";
import { accepts, numbers, sampler } from "../../fixtures/grammar-text.js";

describe("the JSON Schema test suite", () => {
  const folder = new URL(
    "../../../node_modules/json-schema-test-suite/tests/draft4/",
    import.meta.url,
  );
  interface Group {
    description: string;
    schema: Record<string, unknown>;
    tests: { description: string; data: unknown; valid: boolean }[];
  }
  const draft7 = new Ajv({ strict: false, logger: false, validateFormats: false });

  it("finds no text outside a schema in its grammar, and most texts inside", () => {
    let [kept, refused, inside, outside] = [0, 0, 0, 0];
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
      for (const group of JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Group[]) {
        const schema = { ...group.schema, $schema: "http://json-schema.org/draft-07/schema#" };
        let source: string;
        try {
          source = schemaToGrammar(schema);
        } catch (error) {
          if (!isR1Error(error, "SCHEMA_UNSUPPORTED")) throw error;
          refused++;
          continue;
        }
        kept++;
        const grammar = parseGrammar(source);
        const { $schema: _draft, ...plain } = schema;
        const validate = draft7.compile(plain);
        for (const test of group.tests) {
          const isIn = accepts(grammar, JSON.stringify(test.data));
          if (test.valid && isIn) inside++;
          if (!test.valid) outside++;
          if (!test.valid)
            expect(isIn, `${file}: ${group.description}: ${test.description}`).toBe(false);
        }
        const next = sampler(grammar, numbers(kept));
        for (let i = 0; i < 30; i++) {
          const text = next();
          expect(validate(JSON.parse(text)), `${file}: ${group.description}: ${text}`).toBe(true);
        }
      }
    }
    expect({
      kept: kept > 30,
      refused: refused > 0,
      inside: inside > 40,
      outside: outside > 40,
    }).toEqual({
      kept: true,
      refused: true,
      inside: true,
      outside: true,
    });
  });
});
