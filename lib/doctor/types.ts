// The doctor's results: findings, the changes that fix them, and the whole diagnosis. Types only.
import type { Role, Variant } from "../base/types.js";
import type { Inspection } from "../gguf/inspect.js";

/**
 * How much a finding matters. `error`: the model answers wrongly or not at all. `warning`: some
 * uses of the file go wrong. `info`: good to know.
 */
export type Severity = "error" | "warning" | "info";

/** Every possible finding; `docs/reference/model-files.md` lists them. */
export type FindingId =
  | "cannot-load"
  | "parts-missing"
  | "no-tensors"
  | "vocabulary-size"
  | "vocabulary-not-r1"
  | "vocabulary-of-another-release"
  | "architecture-unknown"
  | "ids-differ"
  | "role-missing"
  | "bos-id"
  | "eos-id"
  | "padding-is-eos"
  | "padding-id"
  | "add-bos"
  | "add-eos"
  | "double-bos"
  | "template-double-bos"
  | "template-missing"
  | "template-fails"
  | "template-not-r1"
  | "template-llama-cpp"
  | "template-history"
  | "template-system"
  | "template-bare"
  | "template-opens-think"
  | "template-closed"
  | "pre-tokenizer"
  | "token-types"
  | "markers-user-defined"
  | "end-tokens"
  | "gating-missing"
  | "gating-wrong"
  | "legacy-attention"
  | "mla-cache-types";

/** One change to the metadata. */
export interface MetadataChange {
  /** Key of the metadata. */
  readonly key: string;
  /** For an array: the element that changes. */
  readonly index?: number | undefined;
  /** GGUF type of the new value. */
  readonly type: "u32" | "i32" | "bool" | "str";
  /** The value in the file; null if there is none. */
  readonly from: string | number | boolean | null;
  /** The value in the copy. */
  readonly to: string | number | boolean;
}

/** One thing that the doctor found. */
export interface Finding {
  /** Stable name of the finding, for programs. */
  readonly id: FindingId;
  /** How much it matters. */
  readonly severity: Severity;
  /** What was found, with the values. */
  readonly found: string;
  /** How it affects a user. */
  readonly effect: string;
  /** What to do about it. */
  readonly fix: string;
  /** What `fixGguf` (`--fix`) would change; empty if it cannot fix this. */
  readonly changes: readonly MetadataChange[];
}

/**
 * The output of a file's chat template. `r1`: R1's format with a bare generation prompt.
 * `r1-opens-think`: with `<think>` and a line break. `r1-closed`: with a closed, empty reasoning
 * block. `llama.cpp`: llama.cpp's own template, which closes user turns with EOS. `other`: not R1's
 * format. `fails`: it cannot be rendered. `none`: the file has none.
 */
export type TemplateForm =
  "none" | "r1" | "r1-opens-think" | "r1-closed" | "llama.cpp" | "other" | "fails";

/** Kind of a token, by `tokenizer.ggml.token_type`. */
export type TokenKind =
  "normal" | "unknown" | "control" | "user-defined" | "unused" | "byte" | "unmarked";

/** A token of R1's template, as in the file. */
export interface RoleDiagnosis {
  /** What the token is for. */
  readonly role: Role;
  /** The token's text in this file; R1's text if the file has none. */
  readonly text: string;
  /**
   * Id in the table of the releases; null if the table has none for this role, or if the file is
   * not a release.
   */
  readonly expected: number | null;
  /** Id in the file, which is the one in use; -1 if there is none. */
  readonly actual: number;
  /** Null if the file has no such token. */
  readonly kind: TokenKind | null;
}

/** The result of `diagnose`. Plain data, the same as `r1-native doctor --json` prints. */
export interface Diagnosis {
  /** The paths or URLs examined. */
  readonly sources: readonly string[];
  /** Whether they were read over HTTP. */
  readonly isRemote: boolean;
  /** `general.architecture`. */
  readonly architecture: string;
  /** Detected from vocabulary and metadata, never from the name. */
  readonly variant: Variant;
  /** How K and V are stored, as reported by `inspectGguf`. */
  readonly attention: Inspection["attention"];
  /** Parts of a split model, as reported by `inspectGguf`. */
  readonly parts: Inspection["parts"];
  /** Number of tokens in the vocabulary. */
  readonly vocabularySize: number;
  /** `tokenizer.ggml.pre`; null if missing. */
  readonly preTokenizer: string | null;
  /** `tokenizer.ggml.add_bos_token`; null if missing. */
  readonly addBosToken: boolean | null;
  /** Ids in the metadata; null if missing. */
  readonly metadataIds: {
    readonly bos: number | null;
    readonly eos: number | null;
    readonly padding: number | null;
  };
  /** The output of the file's chat template. */
  readonly templateForm: TemplateForm;
  /** How experts are chosen; null if the model has none. */
  readonly expertGating:
    "missing" | "softmax" | "sigmoid" | "softmax-weight" | "sqrt-softplus" | null;
  /** Every token of R1's template, as in the file. */
  readonly roles: readonly RoleDiagnosis[];
  /** Tokens at which llama.cpp ends a generation. */
  readonly endTokens: readonly { readonly id: number; readonly text: string }[];
  /** Errors first. */
  readonly findings: readonly Finding[];
}
