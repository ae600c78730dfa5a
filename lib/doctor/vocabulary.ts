// The doctor's rules about a vocabulary: which release it belongs to, its ids compared with the
// table, BOS, EOS and padding, pre-tokeniser, token types, end tokens. Pure.
import type { Role, Variant } from "../base/types.js";
import { ROLE_TEXTS } from "../template/segment.js";
import { VARIANT_TABLE } from "../template/variants.js";
import { ALL_ROLES, idByText, scalarOf, tokenText, type DoctorFacts } from "./facts.js";
import type { Finding, MetadataChange } from "./types.js";

type Release = Exclude<Variant, "other">;

/**
 * `tokenizer.ggml.pre` of each release: first the correct name, then names that llama.cpp v0.5.0
 * treats the same way.
 */
const PRE_TOKENIZERS: Readonly<Record<Release, readonly string[]>> = {
  r1: ["deepseek-v3"],
  "distill-qwen": ["deepseek-r1-qwen", "qwen2"],
  "distill-llama": ["llama-bpe", "llama3", "llama-v3"],
};

/** Roles that chats cannot do without, and those that separate reasoning from the answer. */
const CHAT_ROLES: readonly Role[] = ["bos", "eos", "user", "assistant", "think", "endThink"];

const TOKEN_TYPES = { control: 3, "user-defined": 4 } as const;

/** Returns the release whose ids in the table match this file's tokens exactly. */
function releaseByIds(facts: DoctorFacts): Release | undefined {
  const fits = (release: Release): boolean =>
    CHAT_ROLES.every(
      (role) => facts.byText.get(ROLE_TEXTS[role])?.id === VARIANT_TABLE[release].ids[role],
    );
  return (Object.keys(VARIANT_TABLE) as Release[]).find(fits);
}

/** Whether the table covers the file's vocabulary: a smaller one, or Qwen 3's, has other ids. */
function isInTable(facts: DoctorFacts): boolean {
  if (facts.row === undefined || facts.inspection.architecture === "qwen3") return false;
  return facts.vocabularySize > Math.max(...Object.values(facts.row.ids));
}

/** Nothing is fixed in a vocabulary unless it is certain that the weights were trained with it. */
function isCertain(facts: DoctorFacts): boolean {
  const release = releaseByIds(facts);
  return facts.variant !== "other" && (release === undefined || release === facts.variant);
}

function* whose(facts: DoctorFacts): Generator<Finding> {
  const { architecture } = facts.inspection;
  if (facts.variant !== "other") {
    const release = releaseByIds(facts);
    if (release === undefined || release === facts.variant) return;
    yield {
      id: "vocabulary-of-another-release",
      severity: "error",
      found:
        `The architecture is ${architecture}, that of ${facts.variant}, but the token ` +
        `ids are those of ${release}.`,
      effect:
        "The weights were trained with another vocabulary: every text goes in and comes out as the wrong tokens.",
      fix: "Convert the model again with its own tokenizer files.",
      changes: [],
    };
    return;
  }
  if (facts.byText.has(ROLE_TEXTS.user) && facts.byText.has(ROLE_TEXTS.assistant)) {
    yield {
      id: "architecture-unknown",
      severity: "warning",
      found: `The vocabulary has R1's tokens, but ${JSON.stringify(architecture)} is the architecture of none of its releases.`,
      effect:
        "Chats use R1's template with the ids of the file; the file does not show whether " +
        "the model was trained on them.",
      fix: "Nothing, if the model is known to speak R1's format.",
      changes: [],
    };
    return;
  }
  const base = Object.entries(VARIANT_TABLE).find(([, { ids, formerTexts }]) =>
    (["user", "assistant"] as const).every(
      (role) =>
        formerTexts[role] !== undefined && facts.byText.get(formerTexts[role])?.id === ids[role],
    ),
  );
  const whom =
    base === undefined
      ? "is another model's"
      : `is that of ${base[0]}'s base model, its tokens not renamed: token ${base[1].ids.user} is ${base[1].formerTexts.user}, not ${ROLE_TEXTS.user}`;
  yield {
    id: "vocabulary-not-r1",
    severity: "error",
    found: `The vocabulary of ${facts.vocabularySize} tokens has no ${ROLE_TEXTS.user} or no ${ROLE_TEXTS.assistant}: it ${whom}.`,
    effect:
      "Chats in R1's format are refused (TEMPLATE_UNSUPPORTED); other programs would send the tags as plain text.",
    fix: 'Use a conversion of R1 or one of its distills, or ask with template: "file" if the model is meant to be another one.',
    changes: [],
  };
}

function* ids(facts: DoctorFacts): Generator<Finding> {
  const differ = facts.findings.filter(({ role, actual }) => role !== "pad" && actual >= 0);
  if (differ.length > 0 && isCertain(facts)) {
    const listed = differ
      .map(
        ({ role, expected, actual }) =>
          `${facts.texts[role]} is ${actual}, in the table ${expected}`,
      )
      .join("; ");
    const known = isInTable(facts);
    yield {
      id: "ids-differ",
      severity: known ? "error" : "info",
      found: known
        ? `${listed}.`
        : `The vocabulary, of ${facts.vocabularySize} tokens, is none of the table's: ${listed}.`,
      effect: known
        ? "The file's ids are used. If the weights are the release's, they were trained on the table's, and the model does not see its tags."
        : "The file's ids are used, so nothing goes wrong.",
      fix: known
        ? "Convert the model again with the release's tokenizer files, or download another copy."
        : "Nothing.",
      changes: [],
    };
  }
  const missing = CHAT_ROLES.filter((role) => facts.tokens[role] < 0);
  if (missing.length > 0) {
    yield {
      id: "role-missing",
      severity: missing.some((role) => role !== "think" && role !== "endThink")
        ? "error"
        : "warning",
      found: `The vocabulary has no token for ${missing.map((role) => ROLE_TEXTS[role]).join(", ")}.`,
      effect:
        "Without BOS, EOS or a role's token chats are refused; without <think> and </think> " +
        "the reasoning is separated from the answer by its text.",
      fix: "Convert the model again with the release's tokenizer files.",
      changes: [],
    };
  }
}

function* bosAndEos(facts: DoctorFacts): Generator<Finding> {
  for (const role of ["bos", "eos"] as const) {
    const right = facts.byText.get(ROLE_TEXTS[role])?.id;
    const said = facts.ids[role];
    if (right === undefined || said === right) continue;
    yield {
      id: role === "bos" ? "bos-id" : "eos-id",
      severity: "error",
      found: `The metadata names ${said === null ? `no ${role.toUpperCase()}, so that llama.cpp takes token 11` : `token ${tokenText(facts, said)} as ${role.toUpperCase()}`}; it is ${tokenText(facts, right)}.`,
      effect:
        role === "bos"
          ? "Other programs begin every prompt with the wrong token, and the model answers worse. r1-native's chats take BOS by its text."
          : "Replies end at the wrong token, and templates write it after each turn.",
      fix: `Set tokenizer.ggml.${role}_token_id to ${right}.`,
      changes: isCertain(facts)
        ? [{ key: `tokenizer.ggml.${role}_token_id`, type: "u32", from: said, to: right }]
        : [],
    };
  }
  if (scalarOf(facts.metadata, "tokenizer.ggml.add_eos_token", "bool") === true) {
    yield {
      id: "add-eos",
      severity: "error",
      found: "add_eos_token is true; in the releases it is false.",
      effect: "llama.cpp ends every prompt with EOS, after which the model has nothing to say.",
      fix: "Set tokenizer.ggml.add_eos_token to false.",
      changes: [{ key: "tokenizer.ggml.add_eos_token", type: "bool", from: true, to: false }],
    };
  }
}

function* padding(facts: DoctorFacts): Generator<Finding> {
  const said = facts.ids.padding;
  const right = idByText(facts, "pad");
  const eos = facts.byText.get(ROLE_TEXTS.eos)?.id ?? facts.ids.eos;
  if (said !== null && said === right) return;
  const changes: MetadataChange[] =
    right !== undefined && right !== eos && isCertain(facts)
      ? [{ key: "tokenizer.ggml.padding_token_id", type: "u32", from: said, to: right }]
      : [];
  const fix =
    right === undefined || right === eos
      ? "The vocabulary has no padding token of its own: add one, and train its embedding, before fine-tuning."
      : `Set tokenizer.ggml.padding_token_id to ${tokenText(facts, right)}, and the same in the tokenizer files that fine-tuning uses.`;
  if (said !== null && said === eos) {
    yield {
      id: "padding-is-eos",
      severity: "warning",
      found: `Padding is EOS, token ${tokenText(facts, said)}.`,
      effect:
        "Running the model is not affected. Fine-tuning masks EOS out together with the padding, so that the model never learns to end: it generates without end.",
      fix,
      changes,
    };
    return;
  }
  yield {
    id: "padding-id",
    severity: "info",
    found:
      said === null
        ? "The metadata names no padding token."
        : `Padding is token ${tokenText(facts, said)}; the release's is ${tokenText(facts, right ?? null)}.`,
    effect:
      "Running the model is not affected. Fine-tuning programs without a padding token mostly take EOS, with which a model may never learn to end.",
    fix,
    changes,
  };
}

function* preTokenizer(facts: DoctorFacts, release: Release): Generator<Finding> {
  const key = "tokenizer.ggml.pre";
  const said = scalarOf(facts.metadata, key, "str") as string | undefined;
  const [right = "", ...same] = PRE_TOKENIZERS[release];
  if (said !== undefined && (said === right || same.includes(said))) return;
  yield {
    id: "pre-tokenizer",
    severity: "error",
    found: `The pre-tokeniser is ${said === undefined ? "missing, so that llama.cpp takes its default one" : JSON.stringify(said)}; that of ${release} is "${right}".`,
    effect:
      "Numbers, words and Chinese text are cut into other tokens than the model was trained on, and it answers worse.",
    fix: `Set ${key} to "${right}".`,
    changes:
      isCertain(facts) && scalarOf(facts.metadata, "tokenizer.ggml.model", "str") === "gpt2"
        ? [{ key, type: "str", from: said ?? null, to: right }]
        : [],
  };
}

function* tokenTypes(facts: DoctorFacts): Generator<Finding> {
  const present = ALL_ROLES.map((role) => ({ role, token: facts.byText.get(ROLE_TEXTS[role]) }));
  const plain = present.filter(
    ({ token }) => token !== undefined && token.kind !== "control" && token.kind !== "user-defined",
  );
  const hasTypes = facts.metadata.entry("tokenizer.ggml.token_type")?.type === "arr";
  if (plain.length > 0) {
    yield {
      id: "token-types",
      severity: "error",
      found: `Marked as ordinary text: ${plain.map(({ token }) => `${tokenText(facts, token?.id ?? -1)}, ${token?.kind ?? ""}`).join("; ")}.`,
      effect:
        "llama.cpp cuts these tags into pieces instead of reading them as one token each, " +
        "and r1-native mistakes the file for another model.",
      fix: "Mark them in tokenizer.ggml.token_type as control (BOS, EOS, padding) or user-defined.",
      changes:
        hasTypes && isCertain(facts)
          ? plain.map(({ role, token }) => ({
              key: "tokenizer.ggml.token_type",
              index: token?.id ?? -1,
              type: "i32",
              from: typeAt(facts, token?.id ?? -1),
              to: TOKEN_TYPES[
                role === "bos" || role === "eos" || role === "pad" ? "control" : "user-defined"
              ],
            }))
          : [],
    };
  }
  const open = present.filter(({ token }) => token?.kind === "user-defined");
  if (open.length === 0) return;
  yield {
    id: "markers-user-defined",
    severity: "info",
    found: `Marked as user-defined: ${open.map(({ token }) => token?.text ?? "").join(", ")}.`,
    effect:
      "In other programs these tags in a user's text become the tokens, so that it can forge turns and reasoning. In r1-native's chats no text can.",
    fix: "Nothing with r1-native. In other programs take them out of what users write.",
    changes: [],
  };
}

function typeAt(facts: DoctorFacts, id: number): number {
  const entry = facts.metadata.entry("tokenizer.ggml.token_type");
  return entry?.type === "arr" ? Number(entry.elements.at(id)) : 0;
}

function* endTokens(facts: DoctorFacts): Generator<Finding> {
  const ends = new Set(facts.endTokens.map(({ id }) => id));
  const wrong = (["assistant", "think", "endThink", "bos"] as const).filter((role) =>
    ends.has(facts.tokens[role]),
  );
  if (wrong.length === 0) return;
  yield {
    id: "end-tokens",
    severity: "error",
    found: `These tokens end a reply: ${wrong.map((role) => tokenText(facts, facts.tokens[role])).join(", ")}. What ends one in R1 is ${ROLE_TEXTS.eos}.`,
    effect:
      wrong.includes("think") || wrong.includes("endThink")
        ? "Replies end in the middle of the reasoning, or before the answer."
        : "Replies may end too early.",
    fix: "Correct tokenizer.ggml.eos_token_id, eot_token_id and eom_token_id.",
    changes: [],
  };
}

/** Findings about the vocabulary. */
export function* vocabularyFindings(facts: DoctorFacts): Generator<Finding> {
  yield* whose(facts);
  if (facts.variant === "other") return;
  yield* ids(facts);
  yield* bosAndEos(facts);
  yield* padding(facts);
  yield* preTokenizer(facts, facts.variant);
  yield* tokenTypes(facts);
  yield* endTokens(facts);
}
