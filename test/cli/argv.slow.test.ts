// How command lines are read: llama.cpp's spellings, values, and what is refused.
import { Command } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { normalizeArgv } from "../../lib/cli/argv.js";
import { addFlags, collect, inFlagWords, nameOf } from "../../lib/cli/flags.js";
import type { OptionBag } from "../../lib/cli/flags.js";
import { answerFlags } from "../../lib/cli/flags-answer.js";
import { generateFlags } from "../../lib/cli/flags-generate.js";
import { loadFlags } from "../../lib/cli/flags-load.js";
import {
  conversationFlags,
  machineFlags,
  outputFlags,
  promptFlags,
  rawPromptFlags,
} from "../../lib/cli/flags-run.js";
import { settingsOf } from "../../lib/cli/settings.js";
import { GENERATE_KEYS } from "../../lib/engine/engine-options.js";
import { LOAD_KEYS } from "../../lib/weights/load-table/table.js";
import { normalizeLoad } from "../../lib/weights/normalize-load.js";
import { normalizeSampling } from "../../lib/sampling/options.js";

const all = [
  ...promptFlags,
  ...rawPromptFlags,
  ...answerFlags,
  ...conversationFlags,
  ...generateFlags,
  ...outputFlags,
  ...machineFlags,
  ...loadFlags,
];

function read(...words: string[]): OptionBag {
  const command = new Command("run").exitOverride().configureOutput({ writeErr: () => undefined });
  addFlags(command, all);
  command.parse(normalizeArgv(words, all), { from: "user" });
  return collect(command);
}

function refusal(...words: string[]): string {
  try {
    settingsOf(read(...words));
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`accepted: ${words.join(" ")}`);
}

describe("the table of flags", () => {
  it("has each spelling once", () => {
    const names = all.flatMap((flag) => flag.names);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it("sets only options that the library has", () => {
    for (const flag of all) {
      if (flag.target === "load" && flag.option !== "path")
        expect(LOAD_KEYS, nameOf(flag)).toContain(flag.option);
      if (flag.target === "generate") expect(GENERATE_KEYS, nameOf(flag)).toContain(flag.option);
    }
  });
});

describe("the help", () => {
  /** What the library makes of no options at all. */
  const load = normalizeLoad({}) as unknown as Record<string, unknown>;
  const sampling = normalizeSampling({}, "run") as unknown as Record<string, unknown>;

  it("tells the library's own defaults", () => {
    const told = all.flatMap((flag) => {
      const value = /\(default: (-?[\d.]+)\)$/.exec(flag.doc)?.[1];
      return value === undefined ? [] : [{ flag, value: Number(value) }];
    });
    expect(told.length).toBeGreaterThan(20);
    const native: Record<string, string> = {
      "xtc.probability": "xtcProbability",
      "xtc.threshold": "xtcThreshold",
      "dry.multiplier": "dryMultiplier",
      "dry.base": "dryBase",
    };
    Object.assign(native, {
      "dry.allowedLength": "dryAllowedLength",
      "dry.penaltyLastN": "dryPenaltyLastN",
      "dynamicTemperature.range": "dynatempRange",
    });
    Object.assign(native, {
      "dynamicTemperature.exponent": "dynatempExponent",
      "mirostat.version": "mirostat",
      "mirostat.tau": "mirostatTau",
      "mirostat.eta": "mirostatEta",
    });
    const special: Record<string, number> = {
      seed: -1,
      maxTokens: -1,
      loopGuard: 1024,
      priority: 0,
    };
    for (const { flag, value } of told) {
      const path = flag.field === undefined ? flag.option : `${flag.option}.${flag.field}`;
      const actual =
        special[path] ?? (flag.target === "load" ? load[path] : sampling[native[path] ?? path]);
      expect(value, nameOf(flag)).toBe(actual);
    }
  });
});

describe("a command line of llama.cpp", () => {
  it("is read as documented for the 1.58-bit model", () => {
    const bag = read(
      ...[
        "--model",
        "DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf",
        "--cache-type-k",
        "q4_0",
        "-no-cnv",
        "--prio",
        "2",
        "--temp",
        "0.6",
        "--min-p",
        "0.05",
      ],
      ...[
        "--ctx-size",
        "8192",
        "--seed",
        "3407",
        "--n-gpu-layers",
        "7",
        "--prompt",
        "<｜User｜>What is 1+1?<｜Assistant｜>",
      ],
    );
    expect(bag.load).toEqual({
      path: "DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf",
      cacheTypeK: "q4_0",
      priority: "high",
      contextSize: 8192,
      gpuLayers: 7,
    });
    expect(bag.generate).toEqual({ temperature: 0.6, minP: 0.05, seed: 3407 });
    expect(settingsOf(bag)).toMatchObject({
      isRaw: true,
      prompt: "<｜User｜>What is 1+1?<｜Assistant｜>",
    });
  });

  it("is the same in its short spellings", () => {
    const long = read(
      ..."--model m.gguf --cache-type-k q4_0 --cache-type-v q8_0 --ctx-size 512 --n-gpu-layers 3 --threads 2 --batch-size 64 --ubatch-size 32".split(
        " ",
      ),
    );
    const short = read(
      ..."-m m.gguf -ctk q4_0 -ctv q8_0 -c 512 -ngl 3 -t 2 -b 64 -ub 32".split(" "),
    );
    const other = read(
      ..."--model=m.gguf --cache_type_k=q4_0 --cache-type-v=q8_0 --ctx_size 512 --gpu-layers 3 --threads 2 --batch-size 64 --ubatch_size 32".split(
        " ",
      ),
    );
    expect(short).toEqual(long);
    expect(other).toEqual(long);
  });

  it("may give a flag that looks like a flag as a value", () => {
    expect(read("-p", "-c", "-c", "256")).toMatchObject({
      load: { contextSize: 256 },
      run: { prompt: "-c" },
    });
    expect(read("-p", "--model")).toMatchObject({ load: {}, run: { prompt: "--model" } });
    expect(read("-n", "-1", "-s", "-1")).toMatchObject({
      generate: { maxTokens: undefined, seed: undefined },
    });
  });

  it("may leave out the value of -fa, or give it", () => {
    expect(read("-fa", "-c", "256").load).toEqual({ flashAttention: "on", contextSize: 256 });
    expect(read("-fa", "off").load).toEqual({ flashAttention: "off" });
    expect(read("--flash-attn", "auto").load).toEqual({ flashAttention: "auto" });
    expect(read("-fa", "1").load).toEqual({ flashAttention: "on" });
  });

  it("sends tensors and overrides metadata, in values the library takes", () => {
    const { load } = read(
      "-ot",
      "blk\\.1\\.=CPU,exps=CPU",
      "-ot",
      "a=CUDA0",
      "--override-kv",
      "k=int:3,tokenizer.ggml.add_bos_token=bool:false",
      "--override-kv",
      'general.name=str:"a,b"',
      "-ts",
      "3,1",
      "-nkvo",
      "--no-mmap",
      "--numa",
      "distribute",
    );
    expect(load).toMatchObject({
      tensorOverrides: [
        { pattern: "blk\\.1\\.", buffer: "CPU" },
        { pattern: "exps", buffer: "CPU" },
        { pattern: "a", buffer: "CUDA0" },
      ],
      metadataOverrides: {
        k: { kind: "int", value: 3 },
        "tokenizer.ggml.add_bos_token": { kind: "bool", value: false },
        "general.name": { kind: "string", value: "a,b" },
      },
      tensorSplit: [3, 1],
      offloadKqv: false,
      loadMode: "none",
    });
    expect(() => normalizeLoad(load)).not.toThrow();
  });

  it("groups what belongs together", () => {
    const { generate } = read(
      "--dry-multiplier",
      "0.8",
      "--dry-base",
      "1.5",
      "--xtc-probability",
      "0.5",
      "-l",
      "5-inf",
      "-l",
      "7+1.5",
      "--samplers",
      "top_k;min-p;temp",
      "-r",
      "a",
      "--stop",
      "b",
    );
    expect(generate).toEqual({
      dry: { multiplier: 0.8, base: 1.5 },
      xtc: { probability: 0.5 },
      logitBias: { 5: -Infinity, 7: 1.5 },
      samplers: ["topK", "minP", "temperature"],
      stop: ["a", "b"],
    });
  });

  it("keeps any prompt as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (prompt) => {
        expect(read("-p", prompt).run["prompt"]).toBe(prompt);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a wrong command line", () => {
  it.each([
    [["--ctx-size", "many"], 'Expected a whole number after --ctx-size but received "many".'],
    [["--temp", ""], 'Expected a number after --temp but received "".'],
    [["--prio", "7"], 'Expected one of 0, 1, 2, 3 after --prio but received "7".'],
    [
      ["-ot", "exps"],
      'Expected PATTERN=BUFFER, such as exps=CPU, after --override-tensor but received "exps".',
    ],
    [
      ["--override-kv", "a=number:1"],
      'Expected KEY=TYPE:VALUE with a type of int, float, bool or str after --override-kv but received "a=number:1".',
    ],
    [
      ["-l", "x"],
      'Expected a token id and a bias, such as 15043+1 or 15043-1.5, after --logit-bias but received "x".',
    ],
    [["-p", "a", "-f", "b"], "--prompt and --file cannot be used together: give only one of them."],
    [
      ["--raw", "-sys", "b"],
      "--raw and --system-prompt cannot be used together: give only one of them.",
    ],
    [
      ["--json", "--json-stream"],
      "--json and --json-stream cannot be used together: give only one of them.",
    ],
  ])("%j is refused in words", (words, message) => {
    expect(refusal(...words)).toBe(message);
  });

  it.each([
    [["--ctx-sise", "5"], "Did you mean --ctx-size?"],
    [["--ctx_sise=5"], "Did you mean --ctx-size?"],
    [["-nlg", "5"], "Did you mean -ngl?"],
    [["--cache-typek", "q4_0"], "Did you mean --cache-type-k?"],
    [["--entirely-different"], "--help lists the flags."],
    [["-mu", "https://host/model.gguf"], "Download the file first"],
    [["--context-shift"], "never shifted"],
    [["-i"], "r1-native chat"],
  ])("%j is told what to do", (words, advice) => {
    expect(refusal(...words)).toContain(advice);
  });

  it("is told flags, not library options, by the library's own errors", () => {
    const command = new Command("run");
    addFlags(command, all);
    try {
      normalizeLoad(read("-c", "-5").load);
      throw new Error("accepted");
    } catch (error) {
      expect(isR1Error(error, "INVALID_ARGUMENT")).toBe(true);
      expect(inFlagWords((error as Error).message, command)).toContain("--ctx-size");
    }
  });
});
