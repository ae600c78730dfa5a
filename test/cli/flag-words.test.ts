// The program's errors speak of what can be typed: each library option that a command sets has the
// name of its flag or argument; runs in the test process.
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import * as chat from "../../lib/cli/commands/chat.js";
import * as devices from "../../lib/cli/commands/devices.js";
import * as doctor from "../../lib/cli/commands/doctor.js";
import * as imatrix from "../../lib/cli/commands/imatrix.js";
import * as inspect from "../../lib/cli/commands/inspect.js";
import * as merge from "../../lib/cli/commands/merge.js";
import * as plan from "../../lib/cli/commands/plan.js";
import * as pull from "../../lib/cli/commands/pull.js";
import * as quantize from "../../lib/cli/commands/quantize.js";
import * as rpcServer from "../../lib/cli/commands/rpc-server.js";
import * as run from "../../lib/cli/commands/run.js";
import * as split from "../../lib/cli/commands/split.js";
import { inFlagWords } from "../../lib/cli/flags.js";

function commandOf({ register }: { register: (program: Command) => void }): Command {
  const program = new Command();
  register(program);
  const [command] = program.commands;
  if (command === undefined) throw new Error("nothing was registered");
  return command;
}

describe("an option of the library is told as", () => {
  const rows: [string, { register: (program: Command) => void }, Record<string, string>][] = [
    [
      "quantize",
      quantize,
      {
        input: "<input>",
        output: "<output>",
        type: "<type>",
        recipe: "<type>",
        imatrix: "--imatrix",
        tensorTypes: "--tensor-type",
        "tensorTypes[2].pattern": "--tensor-type",
        outputTensorType: "--output-tensor-type",
        tokenEmbeddingType: "--token-embedding-type",
        allowRequantize: "--allow-requantize",
        quantizeOutputTensor: "--leave-output-tensor",
        keepSplit: "--keep-split",
        dryRun: "--dry-run",
        threads: "--threads",
        force: "--force",
      },
    ],
    [
      "plan",
      plan,
      {
        source: "<source>",
        vramGiB: "--vram",
        "vramGiB[1]": "--vram",
        devices: "--devices",
        backendDir: "--backend-dir",
        ramGiB: "--ram",
        contextSize: "--ctx-size",
        cacheTypeK: "--cache-type-k",
        sequences: "--sequences",
        marginGiB: "--margin",
        bandwidth: "--bandwidth",
        "bandwidth.ram": "--bandwidth",
      },
    ],
    [
      "pull",
      pull,
      {
        repo: "<repo>",
        allowPatterns: "[pattern...]",
        "ignorePatterns[0]": "--exclude",
        revision: "--revision",
        parallel: "--parallel",
      },
    ],
    [
      "split",
      split,
      {
        path: "<file>",
        prefix: "<prefix>",
        maxSize: "--max-size",
        maxTensors: "--max-tensors",
        noTensorFirst: "--no-tensor-first-split",
      },
    ],
    ["merge", merge, { first: "<first>", out: "<out>", force: "--force" }],
    ["doctor", doctor, { source: "<file|url>", out: "--fix", force: "--force" }],
    ["inspect", inspect, { source: "<file|url>" }],
    [
      "imatrix",
      imatrix,
      {
        model: "<model>",
        text: "<textfile>",
        out: "--out",
        chunkSize: "--chunk-size",
        checkTensors: "r1-native run --check-tensors",
      },
    ],
    [
      "rpc-server",
      rpcServer,
      {
        host: "--host",
        port: "--port",
        threads: "--threads",
        "devices[0]": "--device",
        cache: "--cache",
      },
    ],
    ["devices", devices, { backendDir: "--backend-dir" }],
    [
      "run",
      run,
      {
        contextSize: "--ctx-size",
        "chat.topP": "--top-p",
        "complete.dry.base": "--dry-base",
        "stop[2]": "--stop",
        "speculation.ngram": "--ngram-draft",
        maxDraft: "--ngram-draft",
        cpuMoe: "--cpu-moe",
        checkTensors: "--check-tensors",
        "complete()": "--raw",
        "response.schema": "--json-schema",
        "chat.response.grammar": "--grammar",
        "reasoning.mode": "--reasoning",
        "reasoning.maxTokens": "--reasoning-budget",
        template: "--template",
        draftModel: "--model-draft",
      },
    ],
    ["chat", chat, { contextSize: "--ctx-size", "complete()": "r1-native run --raw" }],
  ];
  it.each(rows)("%s calls it", (_name, module, words) => {
    const command = commandOf(module);
    const told = Object.fromEntries(
      Object.keys(words).map((option) => [option, inFlagWords(`Give \`${option}\`.`, command)]),
    );
    expect(told).toEqual(
      Object.fromEntries(Object.entries(words).map(([option, flag]) => [option, `Give ${flag}.`])),
    );
  });
});

describe("what the program has no flag for", () => {
  it("is left out where it stands in brackets as another way, and else left alone", () => {
    const command = commandOf(pull);
    expect(inFlagWords("Set HF_TOKEN (or the option `token`).", command)).toBe("Set HF_TOKEN.");
    expect(inFlagWords("Ask to replace it (or the option `force`).", command)).toBe(
      "Ask to replace it (or the option --force).",
    );
    expect(inFlagWords('Use `complete()` (or `template: "file"`).', commandOf(run))).toBe(
      "Use --raw (or --template file).",
    );
    expect(inFlagWords("The schema at `response.schema/type` is odd.", commandOf(run))).toBe(
      "The schema at --json-schema (/type) is odd.",
    );
    expect(inFlagWords('Use `complete()` (or `nothing: "file"`).', commandOf(run))).toBe(
      "Use --raw.",
    );
    expect(inFlagWords("Use `toWellFormed()`.", command)).toBe("Use `toWellFormed()`.");
  });

  it("stays as it is for who uses the library", () => {
    expect(inFlagWords("Set HF_TOKEN (or the option `token`).", undefined)).toBe(
      "Set HF_TOKEN (or the option `token`).",
    );
  });
});
