// Tries one random schema after the other: it compiles in a bounded time or is refused, texts of
// its grammar fit it, and our check agrees with Ajv on texts and on other values.
import { Ajv } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { compileSchema } from "../../../dist/base/schema/json-schema.js";
import { isMultiple } from "../../../dist/base/schema/values.js";
import { compileSchemaGrammar } from "../../../dist/grammar/compile.js";
import { isR1Error } from "../../../dist/index.js";
import { loadTs } from "../load-ts.mjs";
import { randomOf } from "../random.mjs";
import { alter, randomValue, nearValue } from "./values.mjs";

/**
 * A schema holds the caller's thread no longer; a loaded machine stretches it. Unit: milliseconds.
 */
const LONGEST_CALL = 3_000;

/** What the check says of a value that it gives up on, and the characters that excuse it. */
const TOO_MANY_STEPS = "takes too many steps to check";
const LONG_VALUE = 100_000;

// Names such as toString are there for Ajv unless only own properties count.
const options = {
  ownProperties: true,
  strict: false,
  logger: false,
  validateFormats: false,
  validateSchema: false,
};
const DRAFTS = [
  ["http://json-schema.org/draft-07/schema#", Ajv],
  ["https://json-schema.org/draft/2019-09/schema", Ajv2019],
  ["https://json-schema.org/draft/2020-12/schema", Ajv2020],
];

/** Words that no draft has and Ajv obeys: as an oracle it must not. */
const AJV_WORDS = ["$async", "nullable", "discriminator"];
const ofDraft = (schema) =>
  JSON.parse(JSON.stringify(schema, (key, value) => (AJV_WORDS.includes(key) ? undefined : value)));

/** Ajv divides in doubles, which says nothing of large numbers: it gets our exact division. */
function compileByAjv(Validator, schema) {
  const ajv = new Validator(options);
  ajv.removeKeyword("multipleOf");
  const validate = (step, value) => isMultiple(value, step);
  ajv.addKeyword({ keyword: "multipleOf", type: "number", validate });
  return ajv.compile(schema);
}

export async function prepare(seed) {
  const { supportedSchema } = await loadTs("test/fixtures/random-schema.ts");
  const { parseGrammar } = await loadTs("test/fixtures/grammar-parse.ts");
  const { sampler } = await loadTs("test/fixtures/grammar-text.ts");

  const attempt = async (number) => {
    const random = randomOf(seed, number);
    let [schema] = fc.sample(supportedSchema, { seed: random.next() | 0, numRuns: 1 });
    const [draft, Validator] = random.oneIn(3) ? random.pick(DRAFTS) : DRAFTS[2];
    schema = alter(schema, random, Validator === Ajv2020);
    if (Validator !== Ajv2020 || random.oneIn(4)) schema.$schema = draft;
    const shown = JSON.stringify(schema).slice(0, 1500);
    const slow = [];
    const timed = (name, work) => {
      const start = performance.now();
      try {
        return work();
      } finally {
        const time = performance.now() - start;
        if (time > LONGEST_CALL) slow.push(`${name} held the thread ${time.toFixed(0)} ms`);
      }
    };
    let check;
    let grammar;
    const refused = [];
    try {
      check = timed("the check", () => compileSchema(schema, "schema"));
    } catch (error) {
      if (!isR1Error(error, "SCHEMA_UNSUPPORTED"))
        return { kind: "PLAIN", wrong: `${error?.stack} for ${shown}` };
      refused.push("check");
    }
    try {
      grammar = await timed("compiling", () => compileSchemaGrammar(schema, "schema"));
    } catch (error) {
      if (!isR1Error(error, "SCHEMA_UNSUPPORTED"))
        return { kind: "PLAIN", wrong: `${error?.stack} for ${shown}` };
      refused.push("grammar");
    }
    if (slow.length > 0) return { kind: "slow", wrong: `${slow.join()} for ${shown}` };
    let validate;
    try {
      validate = compileByAjv(Validator, ofDraft(schema));
    } catch {
      // What Ajv cannot read, we may refuse or read: there is no oracle.
      return { kind: refused.length > 0 ? "refused by both" : "not read by Ajv" };
    }
    // Ajv's code for an unevaluated property beside `if` may throw: then there is no oracle.
    const fits = (value) => {
      try {
        return validate(value);
      } catch {
        return undefined;
      }
    };
    // Ajv's record of evaluated properties has "constructor" from its prototype.
    const hasUnevaluated = JSON.stringify(schema).includes('"unevaluatedProperties":');
    const agree = (value) => {
      if (check === undefined) return undefined;
      if (hasUnevaluated && JSON.stringify(value).includes('"constructor":')) return undefined;
      const problem = timed("checking", () => check(value));
      if (problem === TOO_MANY_STEPS && JSON.stringify(value).length > LONG_VALUE) return undefined;
      const isRight = fits(value);
      return isRight === undefined || (problem === undefined) === isRight
        ? undefined
        : `the check says ${problem ?? "it fits"}, Ajv ${validate.errors?.[0]?.message ?? "that it fits"}: ${JSON.stringify(value)} for ${shown}`;
    };
    const values = Array.from({ length: 8 }, () => randomValue(random, 3));
    if (grammar !== undefined) {
      const next = sampler(parseGrammar(grammar), random.fraction);
      for (let i = 0; i < 5; i++) {
        const text = next();
        const value = JSON.parse(text);
        if (fits(value) === false)
          return {
            kind: "answer",
            wrong: `${text} is in the grammar and does not fit ${shown}: ${JSON.stringify(validate.errors[0])}`,
          };
        values.push(value, nearValue(value, random));
      }
    }
    for (const value of values) {
      const wrong = agree(value);
      if (wrong !== undefined) return { kind: "disagree", wrong };
    }
    return { kind: refused.length === 0 ? "compiled" : `refused by ${refused.join("+")}` };
  };
  return { attempt, finish: async () => [] };
}
