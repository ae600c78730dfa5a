// Gathers the facts that the doctor's rules need: tokens by text, their kinds, and the ids in the
// metadata. Works in slices.
import type { Role, RoleTokens, Variant } from "../base/types.js";
import { ROLE_TEXTS, ROLES } from "../template/segment.js";
import { detectVariant, VARIANT_TABLE } from "../template/variants.js";
import type { TokenKind } from "./types.js";
import type { GgufScalar } from "../gguf/format.js";
import type { Inspection } from "../gguf/inspect.js";
import { Metadata } from "../gguf/metadata.js";
import type { Pacer } from "../gguf/pacer.js";
import { lowestHeader, type ReadParts } from "../gguf/read-parts.js";

const KINDS: readonly (TokenKind | undefined)[] = [
  undefined,
  "normal",
  "unknown",
  "control",
  "user-defined",
  "unused",
  "byte",
];

/**
 * Texts of tokens at which llama.cpp ends a generation in any vocabulary. Source:
 * src/llama-vocab.cpp of llama.cpp v0.5.0.
 */
const END_TEXTS: readonly string[] = [
  "<|eot_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<|flush|>",
  "<|calls|>",
  "<end_of_turn>",
  "<|endoftext|>",
  "</s>",
  "<|eom_id|>",
  "<EOT>",
  "_<EOT>",
  "[EOT]",
  "[EOS]",
  "<|end_of_text|>",
  "<end_of_utterance>",
  "<eos>",
  "<turn|>",
  "<|tool_response>",
  ROLE_TEXTS.eos,
  "[e~[",
];

/** A token of the file. */
export interface Token {
  readonly id: number;
  readonly text: string;
  readonly kind: TokenKind;
}

/** The facts that the rules need. */
export interface DoctorFacts {
  readonly inspection: Inspection;
  readonly metadata: Metadata;
  /** Whether the first part, which holds the metadata, is present. */
  readonly hasMetadata: boolean;
  readonly variant: Variant;
  /** The table's row for the variant; undefined if it is not a release. */
  readonly row: (typeof VARIANT_TABLE)[Exclude<Variant, "other">] | undefined;
  readonly tokens: RoleTokens;
  readonly texts: Readonly<Record<Role, string>>;
  readonly findings: readonly {
    readonly role: Role;
    readonly expected: number;
    readonly actual: number;
  }[];
  readonly vocabularySize: number;
  /** Tokens by text, for the texts that matter here. */
  readonly byText: ReadonlyMap<string, Token>;
  token(id: number): Token | undefined;
  readonly ids: {
    readonly bos: number | null;
    readonly eos: number | null;
    readonly padding: number | null;
  };
  readonly endTokens: readonly Token[];
}

/**
 * Returns a scalar of the given JavaScript type; undefined if it is missing or of another type.
 * Loading refuses a wrong type with its own message.
 */
export function scalarOf(
  metadata: Metadata,
  key: string,
  type: "str" | "u32" | "bool",
): GgufScalar | undefined {
  const entry = metadata.entry(key);
  return entry?.type === type ? entry.value : undefined;
}

function textsThatMatter(): Set<string> {
  const texts = new Set([...Object.values(ROLE_TEXTS), ...END_TEXTS]);
  for (const { formerTexts } of Object.values(VARIANT_TABLE))
    for (const text of Object.values(formerTexts)) texts.add(text);
  return texts;
}

/** Gathers the facts of a model. */
export async function gatherFacts(
  parts: ReadParts,
  inspection: Inspection,
  pacer: Pacer,
): Promise<DoctorFacts> {
  const metadata = new Metadata(lowestHeader(parts));
  const list = metadata.entry("tokenizer.ggml.tokens");
  const types = metadata.entry("tokenizer.ggml.token_type");
  const elements = list?.type === "arr" ? list.elements : undefined;
  const vocabularySize = elements?.length ?? 0;
  const token = (id: number): Token | undefined => {
    const text = id < 0 ? undefined : elements?.at(id);
    if (text === undefined) return undefined;
    return {
      id,
      text: String(text),
      kind:
        types?.type === "arr" ? (KINDS[Number(types.elements.at(id))] ?? "unmarked") : "unmarked",
    };
  };
  const matter = textsThatMatter();
  const byText = new Map<string, Token>();
  const special: Token[] = [];
  for (let id = 0; id < vocabularySize; id++) {
    const found = token(id);
    if (found === undefined) continue;
    const isWanted = matter.has(found.text) && !byText.has(found.text);
    if (isWanted) byText.set(found.text, found);
    // Includes a token that is marked as ordinary text: the wrong mark is a finding of its own.
    if (isWanted || ["unknown", "control", "user-defined"].includes(found.kind))
      special.push(found);
    if ((id & 1023) === 1023 && pacer.isDue()) await pacer.breathe();
  }
  const id = (name: string): number | null =>
    (scalarOf(metadata, `tokenizer.ggml.${name}_token_id`, "u32") as number | undefined) ?? null;
  const ids = { bos: id("bos"), eos: id("eos"), padding: id("padding") };
  const vocab = {
    bos: ids.bos ?? -1,
    eos: ids.eos ?? -1,
    pad: ids.padding ?? -1,
    size: vocabularySize,
  };
  const { variant, tokens, texts, findings } = detectVariant({
    architecture: inspection.architecture,
    vocab,
    specialTokens: special,
  });
  const ends = [...END_TEXTS.map((text) => byText.get(text)?.id), ids.eos, id("eot"), id("eom")];
  const endIds = [...new Set(ends.filter((end) => end !== undefined && end !== null))].sort(
    (a, b) => a - b,
  );
  return {
    inspection,
    metadata,
    hasMetadata: parts.headers.has(1) && metadata.entry("general.architecture") !== undefined,
    variant,
    row: variant === "other" ? undefined : VARIANT_TABLE[variant],
    tokens,
    texts,
    findings,
    vocabularySize,
    byText,
    token,
    ids,
    endTokens: endIds.map(token).filter((end) => end !== undefined),
  };
}

/**
 * Returns the id of a role's token by its text, either R1's or the base model's; undefined if the
 * vocabulary has no such token.
 */
export function idByText(facts: DoctorFacts, role: Role): number | undefined {
  const former = facts.row?.formerTexts[role];
  return (
    facts.byText.get(ROLE_TEXTS[role]) ??
    (former === undefined ? undefined : facts.byText.get(former))
  )?.id;
}

/** Formats a token for people: its id and text. */
export function tokenText(facts: DoctorFacts, id: number | null): string {
  if (id === null || id < 0) return "none";
  const found = facts.token(id);
  return found === undefined
    ? `${id} (outside the vocabulary)`
    : `${id} (${JSON.stringify(found.text)})`;
}

/** Every role. */
export const ALL_ROLES: readonly Role[] = ROLES;
