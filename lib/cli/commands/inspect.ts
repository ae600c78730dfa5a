// `r1-native inspect`: shows what is in a model file, local or remote, without loading it. Main
// thread.
import type { Command } from "commander";
import type { Inspection } from "../../files.js";
import { downloadBar } from "../download-bar.js";
import { PROXY_OPTION, useProxy } from "../network.js";
import { bytesText, countText, tableText } from "../file-work.js";
import { setWords } from "../flags.js";
import { write } from "../render.js";
import { reportText } from "../report-json.js";
import { cutForTerminal } from "../wrap.js";
import { EXIT, Interrupted, watchSignals } from "../exit.js";

const HELP = `
Examples:
  r1-native inspect DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf
  r1-native inspect model.gguf --tensors
  r1-native inspect https://host/path/model.gguf --json
  r1-native inspect hf:unsloth/DeepSeek-R1-GGUF:UD-IQ1_S

Exit codes: 0 the model can be loaded, 1 something is wrong with it (see "problems").`;

function valueText(value: Inspection["metadata"][string]): string {
  if (typeof value === "object") {
    const first = value.first
      .map((element) => JSON.stringify(typeof element === "bigint" ? String(element) : element))
      .join(", ");
    return `[${first}${value.length > value.first.length ? ", ..." : ""}] (${value.length} ${value.elementType})`;
  }
  // The file holds 32-bit floats; more digits would be noise.
  if (typeof value === "number" && !Number.isInteger(value))
    return String(Number(value.toPrecision(7)));
  if (typeof value !== "string") return String(value);
  // Escapes control characters: a file must not be able to control the terminal.
  const text = JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  return text.slice(1, -1);
}

function summary(found: Inspection): string {
  const { parameters, parts } = found;
  const isMoe = parameters.active !== parameters.total;
  const rows = [
    ["file", found.sources[0] ?? ""],
    ["name", valueText(found.name)],
    [
      "architecture",
      `${valueText(found.architecture)}, ${found.variant === "other" ? "not one of R1's vocabularies" : found.variant}, attention ${found.attention}`,
    ],
    [
      "weights",
      `${countText(parameters.total)}${isMoe ? `, ${countText(parameters.active)} of them active per token` : ""}`,
    ],
    ["size", `${bytesText(found.sizeBytes)}, ${found.bitsPerWeight.toFixed(2)} bits a weight`],
    ["parts", parts.expected === 1 ? "one file" : `${parts.present} of ${parts.expected}`],
    ["template", found.hasChatTemplate ? "in the file" : "none in the file"],
  ];
  const types = found.types.map(({ type, tensors, parameters: values, bytes }) => [
    type,
    String(tensors),
    countText(values),
    bytesText(bytes),
  ]);
  return `${tableText(rows)}\n\n${tableText([["type", "tensors", "weights", "size"], ...types], [1, 2, 3])}`;
}

function metadataTable(found: Inspection): string {
  return tableText(
    Object.entries(found.metadata).map(([key, value]) => [valueText(key), valueText(value)]),
  );
}

function tensorTable(found: Inspection): string {
  const rows = found.tensors.map(({ name, type, shape, bytes, part }) => [
    valueText(name),
    type,
    shape.join(" x "),
    bytesText(bytes),
    String(part),
  ]);
  return tableText([["tensor", "type", "shape", "size", "part"], ...rows], [3, 4]);
}

async function inspect(
  source: string,
  options: { json?: boolean; tensors?: boolean; proxy?: string },
): Promise<void> {
  useProxy(options.proxy);
  const { inspectGguf } = await import("../../files.js");
  const watch = watchSignals(() => undefined);
  const bar = downloadBar();
  let found: Inspection;
  try {
    found = await inspectGguf(source, {
      signal: watch.signal,
      onRetry: (notice) => bar.retry(notice),
    });
  } finally {
    watch.stop();
  }
  if (options.json === true) {
    await write(process.stdout, reportText("inspect", found));
  } else {
    const metadata = cutForTerminal(metadataTable(found), process.stdout);
    await write(process.stdout, `${summary(found)}\n\n${metadata}\n`);
    if (options.tensors === true) await write(process.stdout, `\n${tensorTable(found)}\n`);
    for (const { code, message } of found.problems)
      await write(process.stdout, `\nproblem: ${message} (${code})\n`);
  }
  // Everything is reported; only the exit code is left to set.
  if (found.problems.length > 0) throw new Interrupted(EXIT.failed);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("inspect")
    .argument(
      "<file|url>",
      "a GGUF file, its address, or hf:owner/name:QUANT; any part of a split model",
    )
    .option(...PROXY_OPTION)
    .option("--json", "everything as JSON")
    .option("--tensors", "list every tensor")
    .addHelpText("after", HELP)
    .action(inspect);
  setWords(command, { source: "<file|url>" });
}
