// The doctor's rules about the rest of a model: parts, what loading would refuse, the choice of
// experts, the layout of attention. Pure.
import type { DoctorFacts } from "./facts.js";
import type { Diagnosis, Finding } from "./types.js";

/** `expert_gating_func` of llama.cpp: none, then these from 1. */
const GATING = ["missing", "softmax", "sigmoid", "softmax-weight", "sqrt-softplus"] as const;
const SIGMOID = 2;

/** Returns how the experts are chosen; null for a model without experts. */
export function gatingOf({ metadata, inspection }: DoctorFacts): Diagnosis["expertGating"] {
  const number = (name: string): number => {
    const entry = metadata.entry(`${inspection.architecture}.${name}`);
    return entry?.type === "u32" ? (entry.value as number) : 0;
  };
  return number("expert_count") === 0 ? null : (GATING[number("expert_gating_func")] ?? "missing");
}

/** Findings about the files themselves, for any model. */
export function* fileFindings(facts: DoctorFacts): Generator<Finding> {
  const { parts, problems, tensors } = facts.inspection;
  if (parts.present < parts.expected) {
    const which = parts.missing.length === 0 ? "" : `: ${parts.missing.join(", ")} missing`;
    yield {
      id: "parts-missing",
      severity: "error",
      found: `${parts.present} of ${parts.expected} parts are there${which}.`,
      effect: "The model cannot be loaded.",
      fix: "Put all parts under their original names into one folder.",
      changes: [],
    };
  }
  let isExplained = false;
  if (tensors.length === 0 && parts.expected === 1) {
    isExplained = true;
    yield {
      id: "no-tensors",
      severity: "error",
      found: "The file holds no tensors: it is a vocabulary alone.",
      effect: "The model cannot be loaded.",
      fix: "Get the file with the weights.",
      changes: [],
    };
  }
  const embedding = tensors.find(({ name }) => name === "token_embd.weight");
  const rows = embedding?.shape[1];
  if (rows !== undefined && facts.vocabularySize > 0 && rows !== facts.vocabularySize) {
    isExplained = true;
    yield {
      id: "vocabulary-size",
      severity: "error",
      found: `The vocabulary has ${facts.vocabularySize} tokens, the weights have embeddings for ${rows}.`,
      effect: "The vocabulary is another model's. llama.cpp refuses to load the file.",
      fix: "Convert the model again with its own tokenizer files.",
      changes: [],
    };
  }
  for (const { code, message } of problems) {
    if (code === "SHARD_MISSING") continue;
    // llama.cpp's own message for what an earlier finding explains better.
    if (code === "MODEL_LOAD_FAILED" && isExplained) continue;
    yield {
      id: "cannot-load",
      severity: "error",
      found: message,
      effect: `The model cannot be loaded (${code}).`,
      fix:
        code === "FILE_TRUNCATED"
          ? "Download or copy the file again."
          : "Download the file again, or convert the model again.",
      changes: [],
    };
  }
}

function* gating(facts: DoctorFacts): Generator<Finding> {
  const found = gatingOf(facts);
  if (facts.variant !== "r1" || found === null || found === "sigmoid") return;
  const key = `${facts.inspection.architecture}.expert_gating_func`;
  const entry = facts.metadata.entry(key);
  const from = entry?.type === "u32" ? (entry.value as number) : null;
  yield {
    id: found === "missing" ? "gating-missing" : "gating-wrong",
    severity: "error",
    found: `${key} ${found === "missing" ? "is missing, so that llama.cpp takes softmax" : `is ${from ?? ""} (${found})`}; R1's experts are chosen by sigmoid.`,
    effect:
      "Experts are weighed, and by their bias also chosen, otherwise than in training. Nothing fails; the answers are worse.",
    fix: `Set ${key} to ${SIGMOID} (sigmoid).`,
    changes: [{ key, type: "u32", from, to: SIGMOID }],
  };
}

/**
 * Returns the bytes of K and V per token in f16, from the shape in the metadata; undefined if the
 * shape is unknown.
 */
function cacheBytes(facts: DoctorFacts): number | undefined {
  const { metadata, inspection } = facts;
  const get = (name: string): number => {
    const entry = metadata.entry(`${inspection.architecture}.${name}`);
    return entry?.type === "u32" ? (entry.value as number) : 0;
  };
  const heads =
    get("attention.head_count_kv") === 0
      ? get("attention.head_count")
      : get("attention.head_count_kv");
  const bytes =
    get("block_count") * heads * (get("attention.key_length") + get("attention.value_length")) * 2;
  return bytes === 0 ? undefined : bytes;
}

function* attention(facts: DoctorFacts): Generator<Finding> {
  if (facts.inspection.attention === "mla") {
    yield {
      id: "mla-cache-types",
      severity: "info",
      found: "Attention is in the MLA layout: one latent row is K, and V is a view of it.",
      effect:
        "K and V of the cache have one type. llama.cpp refuses --cache-type-k q4_0 alone; r1-native gives V the same type.",
      fix: "In llama.cpp give both types.",
      changes: [],
    };
  } else if (facts.inspection.attention === "legacy") {
    const bytes = cacheBytes(facts);
    const size = bytes === undefined ? "" : ` ${bytes} bytes a token in f16;`;
    yield {
      id: "legacy-attention",
      severity: "warning",
      found: "Attention is in the layout before MLA, with K and V of every head.",
      effect: `The cache is many times as large as in the MLA layout:${size} of the 671B model 4.8 MiB a token instead of 69 KiB. Answers are the same.`,
      fix: "Convert the original weights again with a current llama.cpp, or download a newer file. A copy with other metadata does not do it.",
      changes: [],
    };
  }
}

/** Findings about the weights of one of the releases. */
export function* weightFindings(facts: DoctorFacts): Generator<Finding> {
  yield* gating(facts);
  yield* attention(facts);
}
