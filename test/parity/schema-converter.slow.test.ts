// What upstream's converter of JSON Schemas makes of the JSON Schema test suite, and ours: the
// figures behind docs/decisions/json-schema.md. Upstream's runs in a process of its own.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { afterAll, describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { parseGrammar } from "../fixtures/grammar-parse.js";
import { schemaToGrammar } from "../../lib/grammar/schema/schema-grammar.js";
import { accepts, numbers, sampler } from "../fixtures/grammar-text.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const bin = process.env["R1_UPSTREAM_BIN"] ?? here("../../build-native/bin");
const tree = process.env["R1_LLAMA_CPP_DIR"] ?? here("../../vendor/llama.cpp");
const folder = mkdtempSync(join(tmpdir(), "r1-schema-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Group {
  readonly file: string;
  readonly description: string;
  readonly schema: Record<string, unknown>;
  readonly tests: readonly {
    readonly description: string;
    readonly data: unknown;
    readonly valid: boolean;
  }[];
}

const ajv = new Ajv({ strict: false, logger: false, validateFormats: false });

function validator({
  $schema: _draft,
  ...schema
}: Record<string, unknown>): ((value: unknown) => boolean) | undefined {
  try {
    return ajv.compile(schema);
  } catch {
    return undefined;
  }
}

/**
 * The suite's groups; draft 4 is read as draft 7, as both converters read it, and what is no schema
 * there, or refers elsewhere, is left out.
 */
function groups(): Group[] {
  const suite = new URL("../../node_modules/json-schema-test-suite/tests/draft4/", import.meta.url);
  return readdirSync(suite)
    .filter((name) => name.endsWith(".json"))
    .flatMap((file) =>
      (JSON.parse(readFileSync(new URL(file, suite), "utf8")) as Omit<Group, "file">[]).map(
        (group) => ({
          ...group,
          file: file.slice(0, -".json".length),
          schema: { ...group.schema, $schema: "http://json-schema.org/draft-07/schema#" },
        }),
      ),
    )
    .filter(({ schema }) => validator(schema) !== undefined);
}

/** A grammar, or why there is none. */
type Made = { readonly grammar: string } | { readonly refusal: string };

function upstream(schemas: readonly unknown[]): Made[] {
  const program = join(folder, "convert");
  const flags = [
    "-std=c++17",
    "-O1",
    `-I${join(tree, "common")}`,
    "-o",
    program,
    here("schema-converter.cpp"),
  ];
  execFileSync(process.env["CXX"]?.split(" ")[0] ?? "c++", [
    ...flags,
    `-L${bin}`,
    "-lllama-common",
    "-lllama",
    "-lggml",
    "-lggml-base",
    `-Wl,-rpath,${bin}`,
  ]);
  const { stdout, status } = spawnSync(program, {
    input: schemas.map((schema) => `${JSON.stringify(schema)}\n`).join(""),
    encoding: "utf8",
  });
  expect(status).toBe(0);
  const lines = stdout.split("\n").slice(0, -1);
  return lines.map((line) => {
    const text = line
      .slice(1)
      .replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
    return line.startsWith("G") ? { grammar: text } : { refusal: text };
  });
}

function ours(schema: unknown): Made {
  try {
    return { grammar: schemaToGrammar(schema) };
  } catch (error) {
    if (isR1Error(error, "SCHEMA_UNSUPPORTED")) return { refusal: error.message };
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const TEXTS = 30;

interface Score {
  schemas: number;
  refused: number;
  unsound: number;
  valid: [inside: number, all: number];
  invalid: [inside: number, all: number];
  texts: [wrong: number, all: number];
  wrongFiles: Set<string>;
}

function score(all: readonly Group[], made: readonly Made[]): Score {
  const result: Score = {
    schemas: 0,
    refused: 0,
    unsound: 0,
    valid: [0, 0],
    invalid: [0, 0],
    texts: [0, 0],
    wrongFiles: new Set(),
  };
  all.forEach((group, i) => {
    const found = made[i] as Made;
    if ("refusal" in found) {
      result.refused++;
      return;
    }
    result.schemas++;
    const grammar = parseGrammar(found.grammar);
    let wrong = 0;
    for (const { data, valid } of group.tests) {
      const isIn = accepts(grammar, JSON.stringify(data));
      const tally = valid ? result.valid : result.invalid;
      tally[1]++;
      if (isIn) tally[0]++;
      if (isIn && !valid) wrong++;
    }
    const validate = validator(group.schema);
    const next = sampler(grammar, numbers(i));
    for (let n = 0; n < TEXTS; n++) {
      result.texts[1]++;
      const value = parsed(next());
      if (value !== undefined && validate?.(value) === true) continue;
      result.texts[0]++;
      wrong++;
    }
    if (wrong > 0) {
      result.unsound++;
      result.wrongFiles.add(group.file);
    }
  });
  return result;
}

describe("the JSON Schema test suite, by upstream's converter and by ours", () => {
  it("gives grammars of ours in which everything is valid, and of upstream's in which not everything is", () => {
    const all = groups();
    const scores = {
      upstream: score(all, upstream(all.map((group) => group.schema))),
      ours: score(
        all,
        all.map((group) => ours(group.schema)),
      ),
    };
    const row = (what: string, figure: (made: Score) => string | number): string =>
      `| ${what} | ${figure(scores.upstream)} | ${figure(scores.ours)} |`;
    console.log(
      [
        `| of the ${all.length} schemas of draft 4 | llama.cpp's converter | ours |`,
        "| --- | ---: | ---: |",
        row("refused", (made) => made.refused),
        row("a grammar was made", (made) => made.schemas),
        row("of these: something invalid is in it", (made) => made.unsound),
        row("valid values of the suite that are in it", (made) => made.valid.join(" of ")),
        row("invalid values of the suite that are in it", (made) => made.invalid.join(" of ")),
        row("random texts of it that are invalid", (made) => made.texts.join(" of ")),
        `llama.cpp's: ${[...scores.upstream.wrongFiles].join(", ")}`,
      ].join("\n"),
    );
    expect(scores.ours).toMatchObject({
      unsound: 0,
      invalid: [0, scores.ours.invalid[1]],
      texts: [0, scores.ours.texts[1]],
    });
    expect(scores.upstream.unsound).toBeGreaterThan(0);
  });
});
