// The public exports of r1-native, grouped; nothing else.

// Loading and asking.
export { loadModel } from "./model/load-model.js";
export { Model } from "./model/model.js";
export type { ChatModel } from "./model/chat-model.js";
export type { ChatOptions, FormatOptions, OpenThink } from "./model/chat-options.js";
export type { ChoicesOptions } from "./model/choices.js";
export { ChatSession } from "./model/session.js";
export type { SessionOptions } from "./model/session.js";
export type { FormattedChat } from "./model/prompt.js";
export { Generation } from "./engine/generation.js";
export type { GenerateOptions } from "./engine/engine-options.js";
export type { EngineStats } from "./engine/engine.js";
export type { LoadOptions, Logger, MetadataValue, RopeOptions } from "./weights/load-options.js";
export type { CacheType } from "./weights/cache-types.js";
export { CACHE_TYPES } from "./weights/cache-types.js";
export type { ModelInfo } from "./model/info.js";
export type { EncodeOptions, Tokenizer } from "./weights/tokenizer.js";
export { DEFAULT_MODEL_PATH } from "./weights/default-model.js";
export { devices } from "./machine/devices.js";
export type { Device, DevicesOptions } from "./machine/devices.js";
export { startRpcServer } from "./rpc/rpc-server.js";
export type { RpcServer, RpcServerOptions } from "./rpc/rpc-server.js";

// Sampling.
export { presets } from "./sampling/presets.js";
export type { PresetName } from "./sampling/presets.js";
export type { SamplerName, SamplingOptions } from "./sampling/options.js";

// Thinking, answers in a form, tools.
export { DEFAULT_CLOSING, EFFORTS } from "./reasoning/options.js";
export type { ReasoningEffort, ReasoningOptions } from "./reasoning/options.js";
export type { CloseOptions } from "./engine/drain.js";
export type { ResponseOptions } from "./grammar/response.js";
export type { JsonSchemaSource } from "./base/schema/plain-schema.js";
export type { ToolChoice, ToolDefinition } from "./template/tools.js";
export type { OwnerSpan, SegmentOwner } from "./template/segment.js";

export { fromAiSdk } from "./template/from-ai-sdk.js";
export type { AiSdkMessage } from "./template/from-ai-sdk.js";
export { fromOpenAI } from "./template/from-openai.js";
export type { OpenAIMessage } from "./template/from-openai.js";

// What comes out.
export type {
  ChatMessage,
  ChatMessageInput,
  ChatRole,
  ContentPart,
  FinishPart,
  FinishReason,
  GenerationResult,
  Part,
  Timings,
  TextPart,
  TokenLogprob,
  ToolCall,
  ToolCallInput,
  Usage,
  Variant,
} from "./base/types.js";

// Model files.
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
export { R1_DISTILLS, R1_LAYERS, R1_QUANTS, ruleOfThumbLayers } from "./plan/catalogue.js";
export type { R1Distill, R1Quant } from "./plan/catalogue.js";

// What fits where.
export { planOffload } from "./plan/plan-offload.js";
export type { OffloadPlan } from "./plan/offload-plan.js";
export type { PlanOptions } from "./plan/plan-options.js";
export type { Placement, PlanPlace } from "./plan/offload.js";

// Downloads.
export { downloadModel } from "./hub/download.js";
export type { DownloadedFile, DownloadResult } from "./hub/download.js";
export type { DownloadOptions } from "./hub/download-options.js";
export type { DownloadProgress } from "./hub/meter.js";
export { listModels, resolveModel } from "./hub/resolve.js";
export type { ListedModel, ListOptions } from "./hub/resolve.js";
export type { RetryNotice } from "./hub/retry.js";

// Errors.
export { R1Error, R1_ERROR_CODES, isR1Error } from "./base/errors.js";
export type { R1ErrorCode } from "./base/errors.js";
export { ERROR_INFO } from "./base/error-info.js";
export type { ErrorInfo } from "./base/error-info.js";
