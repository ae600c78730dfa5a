// `r1-native split`: splits one model file into parts. Main thread.
import type { Command } from "commander";
import type { SplitOptions } from "../../files.js";
import { bytesText, decimalSize, wholeNumber, withProgress } from "../file-work.js";
import { setWords } from "../flags.js";
import { reportText } from "../report-json.js";

const HELP = `
Example:
  r1-native split merged_file.gguf DeepSeek-R1-UD-IQ1_S --max-size 48G

The output is the same, byte for byte, as llama-gguf-split writes.`;

async function split(
  path: string,
  prefix: string,
  {
    json,
    ...options
  }: Pick<SplitOptions, "maxSize" | "maxTensors" | "noTensorFirst" | "force"> & {
    readonly json?: boolean;
  },
): Promise<void> {
  const { splitGguf } = await import("../../files.js");
  const { paths, bytes, tensors } = await withProgress("splitting", (onProgress, signal) =>
    splitGguf(path, prefix, { ...options, onProgress, signal }),
  );
  if (json === true) {
    process.stdout.write(reportText("split", { paths, bytes, tensors }, 0));
    return;
  }
  process.stderr.write(
    `split ${path} into ${paths.length} ${paths.length === 1 ? "part" : "parts"}: ${tensors} tensors, ${bytesText(bytes)}\n`,
  );
  process.stdout.write(`${paths.join("\n")}\n`);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("split")
    .argument("<file>", "the file to split")
    .argument("<prefix>", "the parts are <prefix>-00001-of-0000N.gguf and so on")
    .option(
      "--max-size <size>",
      "maximum bytes of tensors per part, e.g. 500M or 48G",
      decimalSize("--max-size"),
    )
    .option(
      "--max-tensors <n>",
      "maximum tensors per part (default: 128)",
      wholeNumber("--max-tensors", 1, 65_536),
    )
    .option("--no-tensor-first-split", "the first part holds only the metadata")
    .option("--force", "overwrite existing files")
    .option("--json", "report the result as JSON")
    .addHelpText("after", HELP)
    .action(
      (
        path: string,
        prefix: string,
        options: {
          maxSize?: number;
          maxTensors?: number;
          tensorFirstSplit: boolean;
          force?: boolean;
          json?: boolean;
        },
      ) => {
        const { tensorFirstSplit, ...rest } = options;
        return split(path, prefix, { ...rest, noTensorFirst: !tensorFirstSplit });
      },
    );
  setWords(command, { path: "<file>", noTensorFirst: "--no-tensor-first-split" });
}
