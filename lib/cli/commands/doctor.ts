// `r1-native doctor`: reports what in a model file makes R1 answer worse, and writes a copy with
// corrected metadata. Main thread.
import type { Command } from "commander";
import type { Diagnosis, Finding, MetadataChange } from "../../files.js";
import { EXIT, Interrupted, watchSignals } from "../exit.js";
import { downloadBar } from "../download-bar.js";
import { PROXY_OPTION, useProxy } from "../network.js";
import { bytesText, tableText, withProgress } from "../file-work.js";
import { setWords } from "../flags.js";
import { write } from "../render.js";
import { reportText } from "../report-json.js";
import { forTerminal } from "../wrap.js";

const HELP = `
Examples:
  r1-native doctor DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf
  r1-native doctor https://host/path/model.gguf --json
  r1-native doctor model.gguf --fix corrected.gguf

--fix writes a copy in which what is surely wrong in the metadata is put right; the weights stay as they are, byte for byte, and the input is never changed.

Exit codes: 0 nothing worse than a warning, 1 an error was found (with --fix: one that the copy still has).`;

const LABELS: Readonly<Record<Diagnosis["templateForm"], string>> = {
  none: "none in the file",
  r1: "R1's, ends in <｜Assistant｜>",
  "r1-opens-think": "R1's, ends in <｜Assistant｜><think>",
  "r1-closed": "R1's, with a closed reasoning block",
  "llama.cpp": "llama.cpp's own for R1",
  other: "not R1's",
  fails: "cannot be rendered",
};

/** What each token is for, in words for people. */
const ROLE_NAMES: Partial<Readonly<Record<Diagnosis["roles"][number]["role"], string>>> = {
  bos: "BOS",
  eos: "EOS",
  pad: "padding",
  user: "user turn",
  assistant: "assistant turn",
  think: "thinking begins",
  endThink: "thinking ends",
};

/** Escapes control characters: a file must not be able to control the terminal. */
function safe(text: string): string {
  return text.replace(
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u001f\u007f-\u009f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function facts(found: Diagnosis): string {
  const { parts, metadataIds } = found;
  const id = (value: number | null): string => (value === null ? "none" : String(value));
  return tableText([
    ["file", found.sources[0] ?? ""],
    ["variant", found.variant === "other" ? "not a release of R1" : found.variant],
    ["architecture", `${found.architecture}, attention ${found.attention}`],
    ["parts", parts.expected === 1 ? "one file" : `${parts.present} of ${parts.expected}`],
    ["vocabulary", `${found.vocabularySize} tokens, pre-tokeniser ${found.preTokenizer ?? "none"}`],
    [
      "ids in metadata",
      `BOS ${id(metadataIds.bos)}, EOS ${id(metadataIds.eos)}, padding ${id(metadataIds.padding)}, add_bos_token ${found.addBosToken ?? "absent"}`,
    ],
    ["ends a reply", found.endTokens.map((token) => `${token.id} ${token.text}`).join(", ")],
    ["template", LABELS[found.templateForm]],
    ...(found.expertGating === null ? [] : [["expert gating", found.expertGating]]),
  ]);
}

function roles(found: Diagnosis): string {
  const rows = found.roles
    .filter(({ expected, actual }) => expected !== null || actual >= 0)
    .map(({ role, text, expected, actual, kind }) => [
      ROLE_NAMES[role] ?? "tools",
      text,
      expected === null ? "-" : String(expected),
      actual < 0 ? "none" : String(actual),
      kind ?? "",
    ]);
  return rows.length === 0
    ? ""
    : `\n\n${tableText([["role", "token", "table", "file", "type"], ...rows], [2, 3])}`;
}

function changeText({ key, index, from, to }: MetadataChange): string {
  return `${key}${index === undefined ? "" : `[${index}]`}: ${from ?? "absent"} -> ${to}`;
}

function findingText({ severity, id, found, effect, fix, changes }: Finding): string {
  return `${severity === "info" ? "note" : severity}: ${found} [${id}]\n  ${effect}\n  ${changes.length > 0 ? "--fix can: " : "do: "}${fix}`;
}

function countText(findings: readonly Finding[]): string {
  const count = (severity: Finding["severity"]): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const some = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  return `${some(count("error"), "error")}, ${some(count("warning"), "warning")}, ${count("info")} ${count("info") === 1 ? "note" : "notes"}`;
}

async function examine(source: string): Promise<Diagnosis> {
  const { diagnose } = await import("../../files.js");
  const watch = watchSignals(() => undefined);
  const bar = downloadBar();
  try {
    return await diagnose(source, { signal: watch.signal, onRetry: (notice) => bar.retry(notice) });
  } finally {
    watch.stop();
  }
}

async function doctor(
  source: string,
  options: { json?: boolean; fix?: string; force?: boolean; proxy?: string },
): Promise<void> {
  useProxy(options.proxy);
  const found = await examine(source);
  if (options.json === true) await write(process.stdout, reportText("doctor", found));
  else {
    const said = [...found.findings.map(findingText), countText(found.findings)].join("\n\n");
    const text = `${facts(found)}${roles(found)}\n\n${forTerminal(said, process.stdout)}`;
    await write(process.stdout, safeLines(text));
  }
  let left = found.findings;
  const out = options.fix;
  if (out !== undefined) {
    const { fixGguf } = await import("../../files.js");
    const { path, bytes, changes } = await withProgress("copying", (onProgress, signal) =>
      fixGguf(source, out, { force: options.force ?? false, onProgress, signal }),
    );
    if (path === null)
      process.stderr.write("there is nothing to correct in the metadata: no file was written\n");
    else {
      process.stderr.write(
        `wrote ${path}, ${bytesText(bytes)}:\n${changes.map((change) => `  ${safe(changeText(change))}\n`).join("")}`,
      );
      left = found.findings.filter((finding) => finding.changes.length === 0);
    }
  }
  // Everything is reported; only the exit code is left to set.
  if (left.some(({ severity }) => severity === "error")) throw new Interrupted(EXIT.failed);
}

function safeLines(text: string): string {
  return `${text.split("\n").map(safe).join("\n")}\n`;
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("doctor")
    .argument(
      "<file|url>",
      "a GGUF file, its address, or hf:owner/name:QUANT; any part of a split " +
        "model (with --fix the first)",
    )
    .option(...PROXY_OPTION)
    .option("--json", "the diagnosis as JSON")
    .option("--fix <out>", "write a corrected copy")
    .option("--force", "overwrite an existing output file")
    .addHelpText("after", HELP)
    .action(doctor);
  setWords(command, { source: "<file|url>", out: "--fix" });
}
