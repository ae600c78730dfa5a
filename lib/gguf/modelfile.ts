// Writes the Modelfile with which Ollama imports a merged model: R1's template, parameters and stop
// strings.
import { basename, dirname, join, relative, resolve } from "node:path";
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { refuseInputs } from "../base/files/same-file.js";
import { refuseExisting, writeFileAtomically } from "../base/files/writer.js";
import { inspectGguf } from "./inspect.js";

const BOS = "<｜begin▁of▁sentence｜>";

/**
 * R1's conversation format in Ollama's template language. The end token follows every assistant
 * turn except one that is to be continued; only that one contains reasoning. From the text around
 * `.Thinking`, Ollama detects how reasoning is marked, and then keeps it out of the history.
 */
const TEMPLATE = [
  `{{- if .System }}{{ .System }}{{ end }}`,
  `{{- range $i, $_ := .Messages }}`,
  `{{- $isLast := eq (len (slice $.Messages $i)) 1 }}`,
  `{{- if eq .Role "user" }}<｜User｜>{{ .Content }}`,
  `{{- else if eq .Role "assistant" }}<｜Assistant｜>`,
  `{{- if and $isLast .Thinking }}<think>`,
  `{{ .Thinking }}`,
  `</think>`,
  `{{ end }}{{ .Content }}{{ if not $isLast }}<｜end▁of▁sentence｜>{{ end }}`,
  `{{- end }}`,
  `{{- if and $isLast (ne .Role "assistant") }}<｜Assistant｜>{{ if and $.IsThinkSet (not $.Think) }}<think>`,
  `</think>{{ end }}{{ end }}`,
  `{{- end }}`,
].join("\n");

/** R1's defaults, by Ollama's names. */
const PARAMETERS: readonly (readonly [name: string, value: string])[] = [
  ["temperature", "0.6"],
  ["top_p", "0.95"],
  ["min_p", "0.05"],
  ["num_ctx", "8192"],
  ["stop", `"${BOS}"`],
  ["stop", `"<｜end▁of▁sentence｜>"`],
  ["stop", `"<｜User｜>"`],
  ["stop", `"<｜Assistant｜>"`],
];

/**
 * Returns the text of a Modelfile.
 *
 * @param model - Path of the model file, relative to the Modelfile.
 * @param addsBos - Whether Ollama's tokenizer adds BOS itself, according to the model's
 * `add_bos_token`; otherwise the template does.
 */
function modelfileText(model: string, addsBos: boolean): string {
  const parameters = PARAMETERS.map(([name, value]) => `PARAMETER ${name} ${value}`).join("\n");
  return `FROM ${model}\n\nTEMPLATE """${addsBos ? "" : BOS}${TEMPLATE}"""\n\n${parameters}\n`;
}

/**
 * Reads the facts that a Modelfile needs. Also used as a check before a merge that takes hours.
 *
 * @param model - The model file, or the first part of a split model.
 * @throws {R1Error} `MODEL_UNSUPPORTED` if it is not a release of R1, because R1's template would
 * be wrong for it; otherwise like `inspectGguf`.
 */
export async function modelfileFacts(model: string): Promise<{ addsBos: boolean }> {
  const { variant, metadata } = await inspectGguf(model, { onlyThisFile: true });
  if (variant === "other") {
    throw new R1Error(
      "MODEL_UNSUPPORTED",
      `"${model}" has none of R1's vocabularies: a Modelfile with R1's template would be wrong. Write one for that model.`,
      {
        details: { path: model },
      },
    );
  }
  return { addsBos: metadata["tokenizer.ggml.add_bos_token"] === true };
}

/**
 * Writes `<name>.Modelfile` next to a model file. `ollama create <name> -f <name>.Modelfile` then
 * imports the model. Its template needs Ollama 0.9 or newer.
 *
 * @param model - The model file.
 * @param name - Ollama's name for it, for example `deepseek-r1-ud` or `me/deepseek-r1:1.58bit`.
 * @returns The Modelfile's path.
 * @throws {R1Error} `MODEL_UNSUPPORTED` if the model is not a release of R1; like `inspectGguf`;
 * `FILE_EXISTS`, `NO_SPACE`, `IO_FAILED`.
 */
export async function writeModelfile(
  model: string,
  name: string,
  options: { force?: boolean } = {},
): Promise<string> {
  check.filePath(model, "model");
  check.filePath(name, "name");
  check.knownKeys(check.object(options, "options"), "writeModelfile", ["force"]);
  const force = check.boolean(options.force ?? false, "force");
  const path = modelfilePath(model, name);
  if (!force) await refuseExisting(path);
  const { addsBos } = await modelfileFacts(model);
  await refuseInputs([path], [model], "name");
  const from = `./${relative(dirname(resolve(path)), resolve(model))}`;
  await writeFileAtomically(path, { force }, ({ handle }) =>
    handle.writeFile(modelfileText(from, addsBos)),
  );
  return path;
}

/** Returns the path that {@link writeModelfile} writes to. */
export function modelfilePath(model: string, name: string): string {
  return join(dirname(model), `${basename(name.replace(/[^\w.-]+/g, "-"))}.Modelfile`);
}
