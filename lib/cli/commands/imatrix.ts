// `r1-native imatrix`: computes an importance matrix for `quantize`. Main thread; the model runs on
// its own thread.
import type { Command } from "commander";
import { readText } from "../flag-values.js";
import { wholeNumber, withProgress } from "../file-work.js";
import { setWords } from "../flags.js";
import { reportText } from "../report-json.js";

const HELP = `
Example:
  r1-native imatrix model-f16.gguf calibration.txt --out imatrix.gguf
  r1-native quantize model-f16.gguf model-iq2.gguf IQ2_XXS --imatrix imatrix.gguf

The text should be like what the model will read and write. The model runs on the CPU.`;

interface Flags {
  out: string;
  chunkSize?: number;
  threads?: number;
  force?: boolean;
  json?: boolean;
}

async function imatrix(model: string, textFile: string, { json, ...flags }: Flags): Promise<void> {
  const text = readText(textFile);
  const { computeImatrix } = await import("../../files.js");
  const { path, tensors, chunks } = await withProgress("measuring", (onProgress, signal) =>
    computeImatrix(model, text, { ...flags, dataset: textFile, onProgress, signal }),
  );
  if (json === true) {
    process.stdout.write(reportText("imatrix", { path, tensors, chunks }, 0));
    return;
  }
  process.stderr.write(
    `wrote values for ${tensors} tensors, from ${chunks} chunk${chunks === 1 ? "" : "s"} of text\n`,
  );
  process.stdout.write(`${path}\n`);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("imatrix")
    .argument("<model>", "a model file, or the first part of a split one")
    .argument("<textfile>", "text to run through the model")
    .requiredOption("--out <file>", "the file to write")
    .option(
      "--chunk-size <n>",
      "tokens run through the model at once (default: 512)",
      wholeNumber("--chunk-size", 16, 1 << 20),
    )
    .option("-t, --threads <n>", "threads of the model", wholeNumber("--threads", 0, 512))
    .option("--force", "overwrite an existing file")
    .option("--json", "report the result as JSON")
    .addHelpText("after", HELP)
    .action(imatrix);
  setWords(command, { text: "<textfile>", checkTensors: "r1-native run --check-tensors" });
}
