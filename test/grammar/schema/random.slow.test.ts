// Claims about random schemas: every text of their grammar parses and fits, and what cannot be kept
// is refused with its place.
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../../lib/base/errors.js";
import { parseGrammar } from "../../fixtures/grammar-parse.js";
import { schemaToGrammar } from "../../../lib/grammar/schema/schema-grammar.js";
import { numbers, sampler } from "../../fixtures/grammar-text.js";
import {
  places,
  supportedSchema,
  UNSUPPORTED,
  type RandomSchema,
} from "../../fixtures/random-schema.js";

const TEXTS = 25;
const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });

/**
 * What a schema came to: the place of its refusal, or nothing when its texts fit. Anything else
 * throws.
 */
function outcome(schema: RandomSchema): { path?: string; message?: string } {
  let source: string;
  try {
    source = schemaToGrammar(schema);
  } catch (error) {
    if (!isR1Error(error, "SCHEMA_UNSUPPORTED")) throw error;
    return { path: String(error.details["path"]), message: error.message };
  }
  const validate = ajv.compile(schema);
  ajv.removeSchema(schema);
  const next = sampler(parseGrammar(source), numbers(1));
  for (let i = 0; i < TEXTS; i++) {
    const text = next();
    if (!validate(JSON.parse(text)))
      throw new Error(
        `${text} does not fit ${JSON.stringify(schema)}: ${JSON.stringify(validate.errors?.[0])}`,
      );
  }
  return {};
}

/** Whether a path of an error leads to a place in the schema, or to a keyword beside one. */
function exists(schema: RandomSchema, path: string): boolean {
  if (!path.startsWith("schema")) return false;
  const pointer = path.slice("schema".length);
  return places(schema).some(
    (place) =>
      pointer === place.pointer ||
      (pointer.startsWith(`${place.pointer}/`) &&
        (pointer.slice(place.pointer.length + 1).split("/")[0] ?? "") in place.at),
  );
}

describe("a random schema", () => {
  it("of supported keywords gives only texts that fit, or says where it contradicts itself", () => {
    let [kept, refused] = [0, 0];
    fc.assert(
      fc.property(supportedSchema, (schema) => {
        const { path, message } = outcome(schema);
        if (path === undefined) kept++;
        else {
          refused++;
          expect(exists(schema, path), `${path} in ${JSON.stringify(schema)}`).toBe(true);
          expect(message).toContain(path);
        }
      }),
      { numRuns: 600 },
    );
    console.log(
      `random schemas: ${kept} kept, ${TEXTS} texts of each parse and fit; ${refused} refused with their place`,
    );
    expect(kept).toBeGreaterThan(refused);
  });

  it("with a keyword that cannot be kept is refused with its place, unless nothing ever looks there", () => {
    const found = { refused: 0, unseen: 0 };
    fc.assert(
      fc.property(
        supportedSchema,
        fc.constantFrom(...Object.keys(UNSUPPORTED)),
        fc.nat(),
        (schema, keyword, choice) => {
          if (outcome(schema).path !== undefined) return;
          const copy = structuredClone(schema);
          const all = places(copy).filter(({ pointer }) => !pointer.startsWith("/$defs"));
          const place = all[choice % all.length] as (typeof all)[number];
          place.at[keyword] = UNSUPPORTED[keyword];
          const { path, message } = outcome(copy);
          if (path === undefined) {
            found.unseen++;
            return;
          }
          found.refused++;
          expect(exists(copy, path), `${path} in ${JSON.stringify(copy)}`).toBe(true);
          expect(message).toContain(path);
        },
      ),
      { numRuns: 400 },
    );
    console.log(
      `random schemas with a keyword that cannot be kept: ${found.refused} refused with its place, ${found.unseen} in which it changes nothing`,
    );
    expect(found.refused).toBeGreaterThan(found.unseen / 10);
  });
});
