// The doctor: reports from the header alone what in a model file, local or remote, makes R1 answer
// worse, and how to fix it.
import * as check from "../base/check.js";
import { gatherFacts, idByText, scalarOf, ALL_ROLES, type DoctorFacts } from "./facts.js";
import type { Diagnosis, Finding, RoleDiagnosis, Severity } from "./types.js";
import { vocabularyFindings } from "./vocabulary.js";
import { fileFindings, gatingOf, weightFindings } from "./weights.js";
import type { RemoteOptions } from "../gguf/inspect-remote.js";
import { inspectParts } from "../gguf/inspect.js";
import { Pacer } from "../gguf/pacer.js";
import { readParts } from "../gguf/read-parts.js";

/** Options of {@link diagnose}: `signal` cancels it; `headers` and `fetch` are for remote files. */
export type DiagnoseOptions = RemoteOptions;

const ORDER: readonly Severity[] = ["error", "warning", "info"];

function rolesOf(facts: DoctorFacts): RoleDiagnosis[] {
  return ALL_ROLES.map((role) => {
    const actual =
      role === "pad" && facts.ids.padding === null
        ? (idByText(facts, role) ?? -1)
        : facts.tokens[role];
    return {
      role,
      text: facts.texts[role],
      expected: facts.row?.ids[role] ?? null,
      actual,
      kind: facts.token(actual)?.kind ?? null,
    };
  });
}

/**
 * Examines a model file for what makes DeepSeek-R1 or one of its distills answer worse than it
 * could: wrong ids, BOS, EOS and padding, the chat template, the pre-tokeniser, the choice of
 * experts, the layout of attention, missing parts. The weights are not read.
 *
 * @param source - A path or an `http(s)` URL of a GGUF file (any part of a split model), or a model
 * on the Hub, `hf:owner/name:QUANT`. For a remote file a few megabytes are fetched by range
 * requests.
 * @returns What the file is, and findings, errors first. A file without problems has only findings
 * of severity `info`.
 * @throws {R1Error} like `inspectGguf`, if the header cannot be read. Problems beyond the header
 * are findings.
 *
 * @example
 * ```ts
 * const { variant, findings } = await diagnose("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf");
 * for (const { severity, found, fix } of findings) console.log(severity, found, fix);
 * ```
 */
export async function diagnose(source: string, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  check.string(source, "source");
  check.knownKeys(check.object(options, "options"), "diagnose", [
    "headers",
    "fetch",
    "signal",
    "onRetry",
  ]);
  if (options.onRetry !== undefined) check.callback(options.onRetry, "onRetry");
  if (options.signal !== undefined) check.signal(options.signal, "signal");
  options.signal?.throwIfAborted();
  const parts = await readParts(source, options, false);
  const inspection = await inspectParts(parts, options.signal);
  const facts = await gatherFacts(parts, inspection, new Pacer(options.signal));
  const { readTemplate, templateFindings } = await import("./template.js");
  const template = readTemplate(facts);
  const findings: Finding[] = [...fileFindings(facts)];
  // Without the first part there is nothing to check, and R1's rules do not apply to other models.
  if (facts.hasMetadata) findings.push(...vocabularyFindings(facts));
  if (facts.hasMetadata && facts.variant !== "other")
    findings.push(...templateFindings(facts, template), ...weightFindings(facts));
  const { metadata } = facts;
  return {
    sources: inspection.sources,
    isRemote: inspection.isRemote,
    architecture: inspection.architecture,
    variant: facts.variant,
    attention: inspection.attention,
    parts: inspection.parts,
    vocabularySize: facts.vocabularySize,
    preTokenizer: (scalarOf(metadata, "tokenizer.ggml.pre", "str") as string | undefined) ?? null,
    addBosToken:
      (scalarOf(metadata, "tokenizer.ggml.add_bos_token", "bool") as boolean | undefined) ?? null,
    metadataIds: facts.ids,
    templateForm: template.form,
    expertGating: gatingOf(facts),
    roles: rolesOf(facts),
    endTokens: facts.endTokens.map(({ id, text }) => ({ id, text })),
    findings: findings.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity)),
  };
}
