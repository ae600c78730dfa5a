// `r1-native merge`: the parts of a split model become one file, optionally with a Modelfile for
// Ollama; main thread.
import type { Command } from "commander";
import { refuseExisting } from "../../base/files/writer.js";
import { mergeGguf } from "../../gguf/merge.js";
import { modelfileFacts, modelfilePath, writeModelfile } from "../../gguf/modelfile.js";
import { bytesText, withProgress } from "../file-work.js";

const HELP = `
Example:
  r1-native merge DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf merged_file.gguf --ollama deepseek-r1-ud

The parts are not changed. The output is the same, byte for byte, as llama-gguf-split --merge writes.`;

async function merge(
  first: string,
  out: string,
  options: { force?: boolean; ollama?: string },
): Promise<void> {
  const force = options.force ?? false;
  // Asked before hours of copying, not after.
  if (options.ollama !== undefined) {
    if (!force) await refuseExisting(modelfilePath(out, options.ollama));
    await modelfileFacts(first);
  }
  const { bytes, tensors, parts } = await withProgress("merging", (onProgress, signal) =>
    mergeGguf(first, out, { force, onProgress, signal }),
  );
  process.stderr.write(
    `merged ${parts.length} parts into ${out}: ${tensors} tensors, ${bytesText(bytes)}\n`,
  );
  if (options.ollama === undefined) return;
  const path = await writeModelfile(out, options.ollama, { force });
  process.stderr.write(`wrote ${path}; next: ollama create ${options.ollama} -f ${path}\n`);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("merge")
    .description("merge the parts of a split model into one file")
    .argument("<first>", "the first part, ...-00001-of-0000N.gguf")
    .argument("<out>", "the file to write")
    .option("--ollama <name>", "also write a Modelfile with R1's template, parameters and stops")
    .option("--force", "overwrite existing files")
    .addHelpText("after", HELP)
    .action(merge);
}
