// Runs the C++ tests of native/core (native/test) once, and reports each of their claims as a test.
// They do not use Node. `npm test` builds their program first.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../../build-native/bin/r1_core_tests", import.meta.url));
const sources = new URL("../../native/test/", import.meta.url);

/** The claims of one source file: the strings of `R1_TEST("..." "...")`, joined. */
function claimsOf(file: string): string[] {
  const text = readFileSync(new URL(file, sources), "utf8");
  return [...text.matchAll(/^R1_TEST\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)/gm)].map(
    ([, strings = ""]) =>
      [...strings.matchAll(/"(?:[^"\\]|\\.)*"/g)]
        .map(([one]) => JSON.parse(one) as string)
        .join(""),
  );
}

const files = readdirSync(sources, { recursive: true, encoding: "utf8" })
  .sort()
  .filter((file) => file.endsWith("_test.cpp"))
  .map((file) => ({ file, claims: claimsOf(file) }));

/** By claim: what the program printed of it, from its own line to that of the next. */
const verdicts = new Map<string, string>();
let output = "";
let end: number | string | null = null;

beforeAll(async () => {
  end = await new Promise<number | string | null>((resolve, reject) => {
    const child = spawn(program, { stdio: ["ignore", "pipe", "pipe"] });
    const take = (bytes: Buffer): void => void (output += bytes.toString("utf8"));
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", (cause) => {
      const hint = "run `npm run build:native -- --native-tests` to build the C++ tests";
      reject(new Error(hint, { cause }));
    });
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const lines = /^(?:ok {4}|NOT OK) (.*) \(\d+ ms\)\n(?: {7}.*\n)*/gm;
  for (const [line, claim = ""] of output.matchAll(lines)) verdicts.set(claim, line);
}, 600_000);

describe("native/core", () => {
  for (const { file, claims } of files) {
    describe(file, () => {
      it.each(claims)("%s", (claim) => {
        expect(verdicts.get(claim) ?? `never ran: ${output.slice(-2000)}`).toMatch(/^ok /);
      });
    });
  }

  it("ran every claim of the sources and no other, and ended well", () => {
    const claims = files.flatMap((file) => file.claims);
    expect([...verdicts.keys()].sort()).toEqual([...claims].sort());
    expect({ end, output }).toMatchObject({ end: 0 });
    expect(output).toMatch(/^[1-9]\d* claims hold, 0 do not$/m);
  });
});
