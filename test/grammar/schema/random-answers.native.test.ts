// Claims about answers in random schemas on the real addon: what ended by itself parses and
// validates.
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isR1Error } from "../../../lib/base/errors.js";
import type { Model } from "../../../lib/model/model.js";
import { supportedSchema } from "../../fixtures/random-schema.js";
import { loadTiny } from "../../fixtures/tiny.js";

const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });
const SCHEMAS = 150;

let model: Model;
beforeAll(
  async () => void (model = await loadTiny({ contextSize: 8192, sequences: 8, maxQueue: 200 })),
);
afterAll(() => model.close());

describe("random schemas", () => {
  it("give only answers that fit, where one ended by itself", async () => {
    const schemas = fc.sample(supportedSchema, { numRuns: SCHEMAS });
    const ended = await Promise.all(
      schemas.map(async (schema, seed) => {
        try {
          const options = {
            seed,
            temperature: 1,
            maxTokens: 150,
            response: { schema },
            reasoning: { mode: "off" },
          } as const;
          const { answer, finishReason } = await model
            .chat([{ role: "user", content: "Well?" }], options)
            .result();
          if (finishReason !== "stop") return undefined;
          const validate = ajv.compile(schema);
          ajv.removeSchema(schema);
          return validate(JSON.parse(answer)) ? "" : `${answer} for ${JSON.stringify(schema)}`;
        } catch (error) {
          if (isR1Error(error, "SCHEMA_UNSUPPORTED")) return undefined;
          throw error;
        }
      }),
    );
    const answers = ended.filter((wrong) => wrong !== undefined);
    const wrong = answers.filter((text) => text !== "");
    console.log(
      `answers in random schemas: ${answers.length - wrong.length} valid of ${answers.length} that ended by themselves, of ${SCHEMAS} schemas`,
    );
    expect(wrong).toEqual([]);
    expect(answers.length).toBeGreaterThan(SCHEMAS / 3);
  });
});
