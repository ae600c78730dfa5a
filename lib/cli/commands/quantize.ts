// `r1-native quantize`: writes a smaller quant of a model. Main thread; the work runs in a child
// process.
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import { quantize, QUANTIZE_TYPES, RECIPES } from "../../files.js";
import type { QuantizeOptions, QuantizeResult, TensorTypeRule } from "../../files.js";
import { bytesText, tableText, wholeNumber, withProgress } from "../file-work.js";
import { setWords } from "../flags.js";
import { reportText } from "../report-json.js";

const HELP = `
Types:   ${Object.keys(QUANTIZE_TYPES).join(", ")}
Recipes: ${Object.keys(RECIPES).join(", ")} (for models with experts)

Examples:
  r1-native quantize model-f16.gguf model-q4.gguf Q4_K_M
  r1-native quantize R1-BF16-00001-of-00030.gguf R1-IQ1_S.gguf UD-IQ1_S --imatrix imatrix.gguf
  r1-native quantize R1-BF16-00001-of-00030.gguf R1-IQ1_S.gguf UD-IQ1_S --dry-run`;

interface Flags {
  imatrix?: string;
  tensorType?: TensorTypeRule[];
  outputTensorType?: string;
  tokenEmbeddingType?: string;
  allowRequantize?: boolean;
  leaveOutputTensor?: boolean;
  pure?: boolean;
  keepSplit?: boolean;
  dryRun?: boolean;
  threads?: number;
  force?: boolean;
  verbose?: boolean;
  json?: boolean;
}

function tensorTypeRule(value: string, before: TensorTypeRule[] | undefined): TensorTypeRule[] {
  const at = value.lastIndexOf("=");
  if (at < 1)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `Expected PATTERN=TYPE after --tensor-type but received ${JSON.stringify(value)}.`,
    );
  return [...(before ?? []), { pattern: value.slice(0, at), type: value.slice(at + 1) }];
}

function optionsOf(kind: string, flags: Flags): QuantizeOptions {
  const { leaveOutputTensor, tensorType, verbose, ...rest } = flags;
  const recipe = Object.keys(RECIPES).find((name) => name.toUpperCase() === kind.toUpperCase());
  return {
    ...rest,
    ...(recipe === undefined ? { type: kind } : { recipe }),
    ...(tensorType === undefined ? {} : { tensorTypes: tensorType }),
    quantizeOutputTensor: leaveOutputTensor !== true,
    ...(verbose === true
      ? { onLog: (line: string) => void process.stderr.write(`${line}\n`) }
      : {}),
  };
}

function report(result: QuantizeResult, isDry: boolean): void {
  const counts = new Map<string, { tensors: number; bytes: number }>();
  for (const { to, bytes } of result.tensors) {
    const sum = counts.get(to) ?? { tensors: 0, bytes: 0 };
    counts.set(to, { tensors: sum.tensors + 1, bytes: sum.bytes + bytes });
  }
  const rows = [...counts]
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([type, { tensors, bytes }]) => [type, String(tensors), bytesText(bytes)]);
  process.stderr.write(`${tableText([["type", "tensors", "size"], ...rows], [1, 2])}\n`);
  const sizes = `${bytesText(result.inputBytes)} -> ${bytesText(result.bytes)} (${result.bitsPerWeight.toFixed(2)} bits a weight)`;
  process.stderr.write(`${isDry ? "would write" : `wrote ${result.paths.join(", ")}`}: ${sizes}\n`);
}

async function run(input: string, output: string, kind: string, flags: Flags): Promise<void> {
  const { json, ...given } = flags;
  const options = optionsOf(kind, given);
  const result = await withProgress("quantising", (onProgress, signal) =>
    quantize(input, output, { ...options, onProgress, signal }),
  );
  if (json === true) process.stdout.write(reportText("quantize", result, 0));
  else report(result, flags.dryRun === true);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("quantize")
    .argument("<input>", "a model file, or the first part of a split one")
    .argument("<output>", "the file to write (with --keep-split: the prefix of the parts)")
    .argument("<type>", "a type or a recipe, see below")
    .option("--imatrix <file>", "importance matrix; types of 1 to 2 bits need one")
    .option(
      "--tensor-type <pattern=type>",
      "type of the tensors that match a regular expression; may be " +
        "repeated, the first match counts",
      tensorTypeRule,
    )
    .option("--output-tensor-type <type>", "type of output.weight")
    .option("--token-embedding-type <type>", "type of token_embd.weight")
    .option("--allow-requantize", "quantise tensors that are already quantised; quality suffers")
    .option("--leave-output-tensor", "do not quantise output.weight")
    .option("--pure", "one type for all tensors")
    .option("--keep-split", "as many parts as the input has")
    .option("--dry-run", "report the size, write nothing")
    .option("-t, --threads <n>", "threads that quantise", wholeNumber("--threads", 0, 512))
    .option("--force", "overwrite existing files")
    .option("--json", "report the result as JSON")
    .option("-v, --verbose", "show llama.cpp's log")
    .addHelpText("after", HELP)
    .action(run);
  setWords(command, {
    recipe: "<type>",
    tensorTypes: "--tensor-type",
    quantizeOutputTensor: "--leave-output-tensor",
  });
}
