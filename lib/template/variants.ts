// Detects which R1 release a vocabulary belongs to, and the ids of its role tokens.
import type { Role, RoleTokens, Variant } from "../base/types.js";
import { ROLE_TEXTS, ROLES } from "./segment.js";

/** The facts about a vocabulary that detection needs. */
export interface VariantInput {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Ids that the file's metadata names (-1: none), and the number of tokens. */
  readonly vocab: {
    readonly bos: number;
    readonly eos: number;
    readonly pad: number;
    readonly size: number;
  };
  /** Every control, user-defined and unknown token. */
  readonly specialTokens: readonly {
    readonly id: number;
    readonly text: string;
    readonly kind: string;
  }[];
}

/** A role whose id in the file differs from that of the table. */
export interface VariantFinding {
  readonly role: Role;
  /** The id of the table. */
  readonly expected: number;
  /** The id in the file, which is the one that is used; -1: none. */
  readonly actual: number;
}

/** The result of {@link detectVariant}. */
export interface VariantFacts {
  readonly variant: Variant;
  readonly tokens: RoleTokens;
  /** Text of each role's token as spelt in this vocabulary; R1's if it has no such token. */
  readonly texts: Readonly<Record<Role, string>>;
  readonly findings: readonly VariantFinding[];
}

/**
 * One release in the id table: its architecture, its ids, and the spelling of the tokens in a
 * vocabulary that was not renamed.
 */
interface VariantRow {
  readonly architectures: readonly string[];
  readonly ids: Readonly<Partial<Record<Role, number>>>;
  readonly formerTexts: Readonly<Partial<Record<Role, string>>>;
}

/**
 * The id table of the releases. Source: the tokenizer files of DeepSeek-R1, R1-Distill-Qwen and
 * R1-Distill-Llama.
 */
export const VARIANT_TABLE: Readonly<Record<Exclude<Variant, "other">, VariantRow>> = {
  r1: {
    architectures: ["deepseek2"],
    ids: {
      think: 128798,
      endThink: 128799,
      bos: 0,
      eos: 1,
      user: 128803,
      assistant: 128804,
      pad: 2,
    },
    formerTexts: {},
  },
  "distill-qwen": {
    architectures: ["qwen2", "qwen3"],
    ids: {
      think: 151648,
      endThink: 151649,
      bos: 151646,
      eos: 151643,
      user: 151644,
      assistant: 151645,
      pad: 151654,
    },
    formerTexts: {
      think: "<|box_start|>",
      endThink: "<|box_end|>",
      bos: "<|object_ref_start|>",
      eos: "<|endoftext|>",
      user: "<|im_start|>",
      assistant: "<|im_end|>",
      pad: "<|vision_pad|>",
    },
  },
  "distill-llama": {
    architectures: ["llama"],
    ids: {
      think: 128013,
      endThink: 128014,
      bos: 128000,
      eos: 128001,
      user: 128011,
      assistant: 128012,
      pad: 128004,
    },
    formerTexts: {
      think: "<|reserved_special_token_5|>",
      endThink: "<|reserved_special_token_6|>",
      bos: "<|begin_of_text|>",
      eos: "<|end_of_text|>",
      user: "<|reserved_special_token_3|>",
      assistant: "<|reserved_special_token_4|>",
      pad: "<|finetune_right_pad_id|>",
    },
  },
};

/** The tokens that make a vocabulary R1's: a base model's vocabulary has none of them by name. */
const REQUIRED_ROLES: readonly Role[] = ["user", "assistant"];

function variantOf(architecture: string, byText: ReadonlyMap<string, number>): Variant {
  if (!REQUIRED_ROLES.every((role) => byText.has(ROLE_TEXTS[role]))) return "other";
  for (const [variant, row] of Object.entries(VARIANT_TABLE))
    if (row.architectures.includes(architecture)) return variant as Variant;
  return "other";
}

/**
 * Finds the id of one role: by R1's token text, otherwise by the metadata, otherwise by the text it
 * had in the base model.
 */
function findRole(
  role: Role,
  input: VariantInput,
  byText: ReadonlyMap<string, number>,
  row: VariantRow | undefined,
): number {
  const named = byText.get(ROLE_TEXTS[role]);
  const metadata = role === "bos" || role === "eos" || role === "pad" ? input.vocab[role] : -1;
  // The file decides about padding, even when it is EOS: the doctor reports that.
  if (role === "pad" && metadata >= 0) return metadata;
  if (named !== undefined) return named;
  if (metadata >= 0) return metadata;
  const former = row?.formerTexts[role];
  return (former === undefined ? undefined : byText.get(former)) ?? -1;
}

/**
 * Detects the variant of a vocabulary from its token texts and architecture, never from a file's
 * name. The ids are the file's own; those that differ from the table are reported. A vocabulary
 * without R1's `<｜User｜>` and `<｜Assistant｜>`, or of another architecture, is `other`.
 */
export function detectVariant(input: VariantInput): VariantFacts {
  const byText = new Map<string, number>();
  const byId = new Map<number, string>();
  for (const token of input.specialTokens) {
    if (!byText.has(token.text)) byText.set(token.text, token.id);
    byId.set(token.id, token.text);
  }
  const variant = variantOf(input.architecture, byText);
  const row = variant === "other" ? undefined : VARIANT_TABLE[variant];
  const tokens = Object.fromEntries(
    ROLES.map((role) => [role, findRole(role, input, byText, row)]),
  ) as Record<Role, number>;
  const texts = Object.fromEntries(
    ROLES.map((role) => [role, byId.get(tokens[role]) ?? ROLE_TEXTS[role]]),
  ) as Record<Role, string>;
  const findings = Object.entries(row?.ids ?? {})
    .map(([role, expected]) => ({ role: role as Role, expected, actual: tokens[role as Role] }))
    .filter((finding) => finding.actual !== finding.expected);
  return Object.freeze({
    variant,
    tokens: Object.freeze(tokens),
    texts: Object.freeze(texts),
    findings: Object.freeze(findings),
  });
}
