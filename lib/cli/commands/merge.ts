// `r1-native merge`: merges the parts of a split model into one file, optionally with a Modelfile
// for Ollama. Main thread.
import type { Command } from "commander";
import { bytesText, withProgress } from "../file-work.js";
import { reportText } from "../report-json.js";

const HELP = `
Example:
  r1-native merge DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf merged_file.gguf --ollama deepseek-r1-ud

The parts are not changed. The output is the same, byte for byte, as llama-gguf-split --merge writes.`;

async function merge(
  first: string,
  out: string,
  options: { force?: boolean; ollama?: string; json?: boolean },
): Promise<void> {
  const { ollama, force = false } = options;
  const { mergeGguf } = await import("../../files.js");
  const result = await withProgress("merging", (onProgress, signal) =>
    mergeGguf(first, out, { force, modelfile: ollama, onProgress, signal }),
  );
  const { bytes, tensors, parts, modelfile } = result;
  if (options.json === true) {
    process.stdout.write(reportText("merge", result, 0));
    return;
  }
  process.stderr.write(
    `merged ${parts.length} parts into ${out}: ${tensors} tensors, ${bytesText(bytes)}\n`,
  );
  if (ollama === undefined || modelfile === undefined) return;
  process.stderr.write(`wrote ${modelfile}; next: ollama create ${ollama} -f ${modelfile}\n`);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("merge")
    .argument("<first>", "the first part, ...-00001-of-0000N.gguf")
    .argument("<out>", "the file to write")
    .option(
      "--ollama <name>",
      "also write a Modelfile with R1's template, parameters and stop strings",
    )
    .option("--force", "overwrite existing files")
    .option("--json", "report the result as JSON")
    .addHelpText("after", HELP)
    .action(merge);
}
