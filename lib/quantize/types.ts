// The types that llama.cpp can quantise to: the names of its file types, and which tensor types
// need an importance matrix. Data only.

/**
 * llama.cpp's file types by name, with the type of most of their tensors; a file type mixes in
 * other types.
 */
export const QUANTIZE_TYPES = Object.freeze({
  Q1_0: "q1_0",
  Q2_0: "q2_0",
  Q4_0: "q4_0",
  Q4_1: "q4_1",
  MXFP4_MOE: "mxfp4",
  Q5_0: "q5_0",
  Q5_1: "q5_1",
  IQ2_XXS: "iq2_xxs",
  IQ2_XS: "iq2_xs",
  IQ2_S: "iq2_xs",
  IQ2_M: "iq2_s",
  IQ1_S: "iq1_s",
  IQ1_M: "iq1_m",
  TQ1_0: "tq1_0",
  TQ2_0: "tq2_0",
  Q2_K: "q2_K",
  Q2_K_S: "q2_K",
  IQ3_XXS: "iq3_xxs",
  IQ3_XS: "iq3_s",
  IQ3_S: "iq3_s",
  IQ3_M: "iq3_s",
  Q3_K_S: "q3_K",
  Q3_K_M: "q3_K",
  Q3_K_L: "q3_K",
  IQ4_NL: "iq4_nl",
  IQ4_XS: "iq4_xs",
  Q4_K_S: "q4_K",
  Q4_K_M: "q4_K",
  Q5_K_S: "q5_K",
  Q5_K_M: "q5_K",
  Q6_K: "q6_K",
  Q8_0: "q8_0",
  F16: "f16",
  BF16: "bf16",
  F32: "f32",
});

/** One of llama.cpp's file types. */
export type QuantizeType = keyof typeof QUANTIZE_TYPES;

/** Short names that llama.cpp's own tool also accepts. */
const ALIASES: Readonly<Record<string, QuantizeType>> = {
  Q3_K: "Q3_K_M",
  Q4_K: "Q4_K_M",
  Q5_K: "Q5_K_M",
};

/**
 * Returns the file type of a name, in upper or lower case and with llama.cpp's aliases; undefined
 * if there is none.
 */
export function quantizeType(name: string): QuantizeType | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(QUANTIZE_TYPES, upper) ? (upper as QuantizeType) : ALIASES[upper];
}

/**
 * Tensor types that need an importance matrix to be usable. Without one llama.cpp refuses them, or
 * aborts for embedding and output tensors.
 */
export const IMATRIX_TYPES: readonly string[] = [
  "iq1_s",
  "iq1_m",
  "iq2_xxs",
  "iq2_xs",
  "iq2_s",
  "iq3_xxs",
];
