// `r1-native pull`: downloads files of a repository on the Hub, and resumes what an earlier run
// left. Main thread.
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import type { DownloadProgress, ListOptions, RetryNotice } from "../../hub.js";
import { downloadBar } from "../download-bar.js";
import { bytesText, wholeNumber } from "../file-work.js";
import { setWords } from "../flags.js";
import { Interrupted, watchSignals } from "../exit.js";
import { reportText } from "../report-json.js";

const HELP = `
Examples:
  r1-native pull unsloth/DeepSeek-R1-GGUF "*UD-IQ1_S*" --dir DeepSeek-R1-GGUF
  r1-native pull unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M

Without --dir the files go to the Hub's cache (HF_HUB_CACHE, HF_HOME), where other tools find them too.
A private or gated repository needs a token: HF_TOKEN. HF_ENDPOINT names another Hub.
After a lost connection or Ctrl-C, run the command again: it continues where it ended. Each file is hashed before it gets its name.`;

interface PullOptions {
  readonly dir?: string;
  readonly revision?: string;
  readonly exclude?: readonly string[];
  readonly parallel?: number;
  readonly force?: boolean;
  readonly all?: boolean;
  readonly proxy?: string;
  readonly json?: boolean;
}

/** Accepts `owner/name:QUANT` without hf: in front, and addresses of the Hub's pages. */
async function asReference(repo: string): Promise<string> {
  const { referenceOfPage } = await import("../../hub.js");
  const page = referenceOfPage(repo);
  // The page of a repository names the repository; the page of a file names that file.
  if (page !== undefined) return /\.gguf$/.test(page) ? page : page.slice("hf:".length);
  return /^[^/:@\s]+\/[^/:@\s]+:[\w.-]+$/.test(repo) ? `hf:${repo}` : repo;
}

/**
 * Refuses to download several quants of a model unless the user asks for it: together they are
 * terabytes.
 */
async function refuseSeveral(repo: string, options: ListOptions): Promise<void> {
  const { listModels } = await import("../../hub.js");
  const models = await listModels(repo, options);
  if (models.length < 2) return;
  const width = Math.max(...models.map(({ quant }) => quant.length));
  const rows = models.map(({ quant, bytes, files }) => {
    const name = quant === "" ? (files[0] ?? "") : quant;
    return `  ${name.padEnd(width)}  ${bytesText(bytes).padStart(9)}`;
  });
  const example = models[0]?.quant ?? "";
  throw new R1Error(
    "INVALID_ARGUMENT",
    `${repo} holds ${models.length} models:\n\n${rows.join("\n")}\n\n` +
      `Name one, for example r1-native pull ${repo} "*${example}*", or use --all for all files.`,
    { details: { option: "pattern", available: models } },
  );
}

async function pull(
  named: string,
  patterns: readonly string[],
  options: PullOptions,
): Promise<void> {
  const { dir, revision, exclude, parallel, proxy, force = false, json = false } = options;
  const { downloadModel, downloadReference, isHubReference } = await import("../../hub.js");
  const repo = await asReference(named);
  const watch = watchSignals(() => undefined);
  const bar = downloadBar();
  try {
    const isReference = isHubReference(repo);
    if (isReference && (patterns.length > 0 || exclude !== undefined)) {
      throw new R1Error(
        "INVALID_ARGUMENT",
        `${repo} already names a model: remove the patterns, or name the repository without hf:.`,
        {
          details: { option: "pattern" },
        },
      );
    }
    const asking = {
      ...(proxy === undefined ? {} : { proxy }),
      onRetry: (notice: RetryNotice) => bar.retry(notice),
      signal: watch.signal,
    };
    const common = {
      ...(dir === undefined ? {} : { dir }),
      ...(revision === undefined ? {} : { revision }),
      ...(parallel === undefined ? {} : { parallel }),
      force,
      onProgress: (progress: DownloadProgress) => bar.show(progress),
      ...asking,
    };
    if (!isReference && patterns.length === 0 && options.all !== true && exclude === undefined)
      await refuseSeveral(repo, { ...asking, ...(revision === undefined ? {} : { revision }) });
    const result = isReference
      ? await downloadReference(repo, common)
      : await downloadModel(repo, {
          ...common,
          allowPatterns: patterns,
          ...(exclude === undefined ? {} : { ignorePatterns: exclude }),
        });
    bar.stop();
    if (json) {
      process.stdout.write(reportText("pull", result, 0));
      return;
    }
    const bytes = result.files.reduce((sum, file) => sum + file.bytes, 0);
    process.stderr.write(
      `${result.files.length} ${result.files.length === 1 ? "file" : "files"}, ${bytesText(bytes)} (${bytesText(result.fetchedBytes)} fetched), at commit ${result.commit}\n`,
    );
    for (const { path } of result.files) process.stdout.write(`${path}\n`);
  } catch (error) {
    bar.stop();
    if (watch.exitCode === undefined) throw error;
    process.stderr.write("stopped; run the same command again to continue\n");
    throw new Interrupted(watch.exitCode);
  } finally {
    bar.stop();
    watch.stop();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("pull")
    .argument("<repo>", "owner/name, or one of its models as hf:owner/name:QUANT")
    .argument("[pattern...]", "files to download, such as '*UD-IQ1_S*'")
    .option("--dir <folder>", "a plain folder for the files; default is the Hub's cache")
    .option("--revision <name>", "branch, tag or commit (main)")
    .option("--exclude <pattern...>", "files to skip")
    .option("--parallel <n>", "requests at the same time (4)", wholeNumber("--parallel", 1, 32))
    .option("--all", "all files, even of a repository with several models")
    .option("--proxy <address>", "an HTTP proxy; default is HTTPS_PROXY")
    .option("--force", "in a plain folder, replace files with other content")
    .option("--json", "report the result as JSON")
    .addHelpText("after", HELP)
    .action(pull);
  setWords(command, { allowPatterns: "[pattern...]", ignorePatterns: "--exclude" });
}
