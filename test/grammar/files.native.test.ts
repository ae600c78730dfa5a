// Claims on the native parser's verdict: upstream's own grammars are all read, and a grammar with
// one rule taken away is refused with the name of what is missing.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import type { Model } from "../../lib/model/model.js";
import { loadTiny } from "../fixtures/tiny.js";

const FOLDER = join(import.meta.dirname, "../../vendor/llama.cpp/grammars");
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".gbnf"));

let model: Model;
beforeAll(async () => void (model = await loadTiny()));
afterAll(() => model.close());

const verdict = async (grammar: string): Promise<string> =>
  model
    .complete("x", { maxTokens: 1, response: { grammar } })
    .result()
    .then(
      () => "read",
      (error: unknown) => (isR1Error(error) ? `${error.code}: ${error.message}` : String(error)),
    );

describe("upstream's grammars", () => {
  it("are there", () => expect(files.length).toBeGreaterThanOrEqual(8));

  it.each(files)("%s is read", async (name) => {
    expect(await verdict(readFileSync(join(FOLDER, name), "utf8"))).toBe("read");
  });

  it.each(files)("%s without its last rule is refused with the rule's name", async (name) => {
    const grammar = readFileSync(join(FOLDER, name), "utf8");
    const rules = [...grammar.matchAll(/^([A-Za-z0-9-]+)\s*::=/gm)];
    const last = rules.at(-1);
    expect(rules.length).toBeGreaterThan(1);
    const [, rule = ""] = last ?? [];
    const said = await verdict(grammar.slice(0, last?.index));
    // A rule that no other uses may go.
    const isUsed = new RegExp(`(?<![\\w-])${rule}(?![\\w-])`).test(grammar.slice(0, last?.index));
    if (isUsed) expect(said).toMatch(new RegExp(`^GRAMMAR_INVALID: .*${rule}`));
    else expect(said).toBe("read");
  });
});
