// Public exports of r1-native/files: reads, checks, corrects, merges, splits and quantizes GGUF files.

export { inspectGguf } from "./gguf/inspect.js";
export type { Inspection, InspectedTensor, InspectOptions } from "./gguf/inspect.js";
export { diagnose } from "./doctor/doctor.js";
export type { DiagnoseOptions } from "./doctor/doctor.js";
export type {
  Diagnosis,
  Finding,
  FindingId,
  MetadataChange,
  RoleDiagnosis,
  Severity,
  TemplateForm,
  TokenKind,
} from "./doctor/types.js";
export { fixGguf } from "./doctor/fix.js";
export type { FixOptions, FixResult } from "./doctor/fix.js";
export { mergeGguf } from "./gguf/merge.js";
export type { MergeOptions, MergeResult } from "./gguf/merge.js";
export { splitGguf } from "./gguf/split.js";
export type { SplitOptions, SplitResult } from "./gguf/split.js";
export { writeModelfile } from "./gguf/modelfile.js";
export { quantize } from "./quantize/quantize.js";
export type { QuantizeResult } from "./quantize/quantize.js";
export type { QuantizeOptions } from "./quantize/options.js";
export type { TensorPlan } from "./quantize/tensor-plan.js";
export { QUANTIZE_TYPES } from "./quantize/types.js";
export type { QuantizeType } from "./quantize/types.js";
export { RECIPES } from "./quantize/recipes.js";
export type { Recipe, TensorTypeRule } from "./quantize/recipes.js";
export { computeImatrix } from "./quantize/compute-imatrix.js";
export type { ImatrixOptions, ImatrixResult } from "./quantize/compute-imatrix.js";
export { readImatrix } from "./quantize/imatrix.js";
export type { Imatrix } from "./quantize/imatrix.js";
