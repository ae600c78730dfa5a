// JSON Schemas of what clients expect, made at test time from the types that their packages publish.
// Nothing of those packages is copied. Runs on the test's thread and takes some seconds.
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import type { ValidateFunction } from "ajv";
import {
  DEFAULT_CONFIG,
  SchemaGenerator,
  createFormatter,
  createParser,
} from "ts-json-schema-generator";
import ts from "typescript";

/** A type that a package exports, and the file that has it, such as `openai/resources/models`. */
export interface PackageType {
  readonly file: string;
  readonly type: string;
}

/** Validates a value; its `errors` say what is wrong with the last one. */
export type Validator = ValidateFunction;

/** Fields that a client's own code adds to what it has received: no server sends them. */
const ADDED_BY_CLIENT: ReadonlySet<string> = new Set(["output_text"]);

const FOLDER = fileURLToPath(new URL("../../../", import.meta.url));
const SOURCE = `${FOLDER}test/server/oracle/wanted.ts`;

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
  types: [],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
};

/** A program of one file, which is nowhere on the disk. */
function programOf(text: string): ts.Program {
  const host = ts.createCompilerHost(OPTIONS);
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.readFile = (name) => (name === SOURCE ? text : readFile(name));
  host.fileExists = (name) => name === SOURCE || fileExists(name);
  host.getSourceFile = (name, version, ...rest) =>
    name === SOURCE
      ? ts.createSourceFile(name, text, version)
      : getSourceFile(name, version, ...rest);
  return ts.createProgram([SOURCE], OPTIONS, host);
}

/** Leaves the fields out that no server sends. */
function withoutAdded(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  const { required } = schema as { required?: unknown };
  if (Array.isArray(required))
    (schema as { required: unknown[] }).required = required.filter(
      (field) => !ADDED_BY_CLIENT.has(String(field)),
    );
  for (const value of Object.values(schema)) withoutAdded(value);
}

/**
 * Makes the validators of several types. Further fields are allowed, as clients pass them over; a
 * required field that is missing, a wrong type and a word that the type does not know are refused.
 */
export function validatorsOf<Name extends string>(
  wanted: Readonly<Record<Name, PackageType>>,
): Record<Name, Validator> {
  const names = Object.keys(wanted) as Name[];
  const text = names
    .map((name, i) => {
      const { file, type } = wanted[name];
      return `import type { ${type} as T${i} } from "${file}";\nexport type Wanted${i} = { value: T${i} };\n`;
    })
    .join("");
  const program = programOf(text);
  const config = { ...DEFAULT_CONFIG, expose: "all", additionalProperties: true } as const;
  const parser = createParser(program, config);
  const generator = new SchemaGenerator(program, parser, createFormatter(config), config);
  return Object.fromEntries(
    names.map((name, i) => {
      const schema = generator.createSchema(`Wanted${i}`);
      withoutAdded(schema);
      const check = new Ajv({ strict: false }).compile(schema as object);
      const validate = ((value: unknown) => {
        const isGood = check({ value });
        validate.errors = check.errors ?? null;
        return isGood;
      }) as Validator;
      return [name, validate];
    }),
  ) as Record<Name, Validator>;
}
