// Every command that reports something reports it as JSON too, with the name and version of its
// schema. Uses dist/.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../lib/cli/command-files.js";
import { loadCommand } from "../../lib/cli/load-command.js";
import { REPORT_KINDS } from "../../lib/cli/report-json.js";
import { run, tinyModel } from "./program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-json-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  writeFileSync(at("in.jsonl"), '{"id":"a","prompt":"What is 1+1?"}\n');
  writeFileSync(at("text.txt"), "What is 1+1? ".repeat(40));
  const { code } = await run(["batch", at("in.jsonl"), at("out.jsonl"), "-n", "8"]);
  expect(code).toBe(0);
});

/** Command lines by the kind of their report; those with a `-` in front need what tests lack. */
const LINES: Readonly<Record<string, () => string[]>> = {
  version: () => ["--version"],
  result: () => ["run", "-p", "What is 1+1?", "-n", "4"],
  devices: () => ["devices"],
  plan: () => ["plan", tinyModel, "--vram", "1", "--ram", "8"],
  inspect: () => ["inspect", tinyModel],
  doctor: () => ["doctor", tinyModel],
  quants: () => ["quants"],
  config: () => ["config"],
  split: () => ["split", tinyModel, at("part"), "--max-tensors", "20"],
  imatrix: () => [
    "imatrix",
    tinyModel,
    at("text.txt"),
    "--out",
    at("imatrix.gguf"),
    "--chunk-size",
    "64",
  ],
  quantize: () => ["quantize", tinyModel, at("q.gguf"), "Q8_0", "--allow-requantize", "--dry-run"],
  "batch-stats": () => ["batch", "stats", at("out.jsonl")],
  "batch-export": () => ["batch", "export", at("out.jsonl"), at("export.jsonl")],
  "batch-merge": () => ["batch", "merge", at("out.jsonl"), at("merged.jsonl")],
  bench: () => ["bench", "-p", "16", "-n", "4", "-r", "1", "--streams", "2"],
};

describe("--json", () => {
  it.each(Object.entries(LINES))("of %s is one object with its schema", async (kind, words) => {
    const { code, stdout, stderr } = await run([...words(), "--json"]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: `r1-native.${kind}/1` });
  });

  it("of merge is one object with its schema", async () => {
    const [first] = readPaths(
      (await run(["split", tinyModel, at("m"), "--max-tensors", "20"])).stdout,
    );
    const { stdout } = await run(["merge", first ?? "", at("merged.gguf"), "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "r1-native.merge/1" });
  });

  it("of a stream has the schema in its first line", async () => {
    const { stdout } = await run(["-p", "What is 1+1?", "-n", "4", "--json-stream"]);
    const [first, second] = stdout.split("\n").map((line) => line && (JSON.parse(line) as object));
    expect(first).toMatchObject({ schema: "r1-native.result-stream/1", type: "reasoning-start" });
    expect(second).not.toHaveProperty("schema");
  });

  it("of the progress of a batch has it in every line", async () => {
    const { stderr } = await run([
      "batch",
      at("in.jsonl"),
      at("two.jsonl"),
      "-n",
      "4",
      "--json-progress",
    ]);
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatchObject({ schema: "r1-native.batch-progress/1" });
  });

  it("is a flag of every command, but of those that only write or serve", async () => {
    const without: string[] = [];
    for (const name of Object.keys(COMMANDS)) {
      const command = await loadCommand(new Command(), COMMANDS, name);
      if (!command.options.some(({ long }) => long === "--json")) without.push(name);
    }
    expect(without).toEqual([
      "chat",
      "serve",
      "batch",
      "worker",
      "rpc-server",
      "complete",
      "build",
    ]);
  });

  it("is described in the manual, kind by kind", () => {
    const manual = readFileSync(
      fileURLToPath(new URL("../../docs/reference/cli.md", import.meta.url)),
      "utf8",
    );
    for (const kind of REPORT_KINDS) expect(manual).toContain(`\`${kind}\``);
  });
});

const readPaths = (stdout: string): string[] => stdout.trimEnd().split("\n");
