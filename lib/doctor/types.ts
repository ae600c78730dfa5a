// What the doctor says: findings, the changes that mend them, and the whole diagnosis. Types only.
import type { Role, Variant } from "../base/types.js";
import type { Inspection } from "../gguf/inspect.js";

/**
 * How much a finding matters. `error`: the model answers wrongly or not at all. `warning`: some
 * uses of the file go wrong. `info`: good to know.
 */
export type Severity = "error" | "warning" | "info";

/** Every finding there is; `docs/model-files.md` lists them. */
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

/** One change of the metadata. */
export interface MetadataChange {
  /** Key of the metadata. */
  readonly key: string;
  /** Of an array, the element that changes. */
  readonly index?: number | undefined;
  /** GGUF type that the value is written as. */
  readonly type: "u32" | "i32" | "bool" | "str";
  /** The value the file has; null: none. */
  readonly from: string | number | boolean | null;
  /** The value the copy gets. */
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
  /** What it does to a user. */
  readonly effect: string;
  /** What to do about it. */
  readonly fix: string;
  /** What `fixGguf` (`--fix`) would change; empty where it cannot mend this. */
  readonly changes: readonly MetadataChange[];
}

/**
 * What a file's chat template writes. `r1`: R1's format, generation prompt bare. `r1-opens-think`:
 * with `<think>` and a line break. `r1-closed`: with a closed, empty reasoning block. `llama.cpp`:
 * llama.cpp's own, which closes user turns with EOS. `other`: not R1's format. `fails`: cannot be
 * rendered. `none`: there is none.
 */
export type TemplateForm =
  "none" | "r1" | "r1-opens-think" | "r1-closed" | "llama.cpp" | "other" | "fails";

/** Kind of a token, by `tokenizer.ggml.token_type`. */
export type TokenKind =
  "normal" | "unknown" | "control" | "user-defined" | "unused" | "byte" | "unmarked";

/** A token of R1's template as the file has it. */
export interface RoleDiagnosis {
  /** What the token is for. */
  readonly role: Role;
  /** The token's text in this file; R1's where it has none. */
  readonly text: string;
  /**
   * Id in the table of the releases; null: the table has none for this role, or the file is of no
   * release.
   */
  readonly expected: number | null;
  /** Id in the file, the one that is used; -1: none. */
  readonly actual: number;
  /** Null where the file has no such token. */
  readonly kind: TokenKind | null;
}

/** What `diagnose` found. Plain data, the same as `r1-native doctor --json` prints. */
export interface Diagnosis {
  /** The paths or URLs looked at. */
  readonly sources: readonly string[];
  /** Whether they were read over HTTP. */
  readonly isRemote: boolean;
  /** `general.architecture`. */
  readonly architecture: string;
  /** Told from vocabulary and metadata, never from the name. */
  readonly variant: Variant;
  /** How K and V are kept, as `inspectGguf` tells it. */
  readonly attention: Inspection["attention"];
  /** Parts of a split model, as `inspectGguf` tells them. */
  readonly parts: Inspection["parts"];
  /** Tokens of the vocabulary. */
  readonly vocabularySize: number;
  /** `tokenizer.ggml.pre`; null: none. */
  readonly preTokenizer: string | null;
  /** `tokenizer.ggml.add_bos_token`; null: none. */
  readonly addBosToken: boolean | null;
  /** Ids the metadata names; null: none. */
  readonly metadataIds: {
    readonly bos: number | null;
    readonly eos: number | null;
    readonly padding: number | null;
  };
  /** What the file's chat template writes. */
  readonly templateForm: TemplateForm;
  /** How experts are chosen; null: the model has none. */
  readonly expertGating:
    "missing" | "softmax" | "sigmoid" | "softmax-weight" | "sqrt-softplus" | null;
  /** Every token of R1's template, as the file has it. */
  readonly roles: readonly RoleDiagnosis[];
  /** Tokens at which llama.cpp ends a generation. */
  readonly endTokens: readonly { readonly id: number; readonly text: string }[];
  /** Errors first. */
  readonly findings: readonly Finding[];
}
