// Writes the Modelfile with which Ollama takes over a merged model: R1's template, parameters and stops. Runs on the calling JavaScript thread.
import { basename, dirname, join, relative, resolve } from "node:path";
import { AtomicFile, writeError } from "./atomic-file.js";

/**
 * R1's conversation format in Ollama's template language. Ollama's tokenizer writes BOS itself, so it is not here; the end token follows every assistant turn but
 * one that is to be continued.
 */
const TEMPLATE = [
  `{{- if .System }}{{ .System }}{{ end }}`,
  `{{- range $i, $message := .Messages }}`,
  `{{- $isLast := eq (len (slice $.Messages $i)) 1 }}`,
  `{{- if eq $message.Role "user" }}<｜User｜>{{ $message.Content }}`,
  `{{- else if eq $message.Role "assistant" }}<｜Assistant｜>{{ $message.Content }}{{ if not $isLast }}<｜end▁of▁sentence｜>{{ end }}`,
  `{{- end }}`,
  `{{- if and $isLast (ne $message.Role "assistant") }}<｜Assistant｜>{{ end }}`,
  `{{- end }}`,
].join("\n");

/** R1's defaults, by Ollama's names. */
const PARAMETERS: readonly (readonly [name: string, value: string])[] = [
  ["temperature", "0.6"],
  ["top_p", "0.95"],
  ["min_p", "0.05"],
  ["num_ctx", "8192"],
  ["stop", `"<｜begin▁of▁sentence｜>"`],
  ["stop", `"<｜end▁of▁sentence｜>"`],
  ["stop", `"<｜User｜>"`],
  ["stop", `"<｜Assistant｜>"`],
];

/** The text of a Modelfile for a model file at a path, as seen from the Modelfile. */
export function modelfileText(model: string): string {
  const parameters = PARAMETERS.map(([name, value]) => `PARAMETER ${name} ${value}`).join("\n");
  return `FROM ${model}\n\nTEMPLATE """${TEMPLATE}"""\n\n${parameters}\n`;
}

/**
 * Writes `<name>.Modelfile` beside a model file; `ollama create <name> -f <name>.Modelfile` then takes the model over.
 *
 * @param model - The model file.
 * @param name - Ollama's name for it, e.g. `deepseek-r1-ud` or `me/deepseek-r1:1.58bit`.
 * @returns The Modelfile's path.
 * @throws {R1Error} `FILE_EXISTS`, `NO_SPACE`, `IO_FAILED`.
 */
export async function writeModelfile(model: string, name: string, options: { force?: boolean } = {}): Promise<string> {
  const path = modelfilePath(model, name);
  const file = await AtomicFile.create(path, options.force ?? false);
  try {
    await file.handle.writeFile(modelfileText(`./${relative(dirname(resolve(path)), resolve(model))}`));
    await file.finish();
  } catch (error) {
    throw writeError(path, error);
  } finally {
    await file.discard();
  }
  return path;
}

/** Where {@link writeModelfile} writes. */
export function modelfilePath(model: string, name: string): string {
  return join(dirname(model), `${basename(name.replace(/[^\w.-]+/g, "-"))}.Modelfile`);
}
