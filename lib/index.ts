// The public exports of r1-native, grouped; nothing else.

// Loading and asking.
export { loadModel } from "./chat/load-model.js";
export { Model } from "./chat/model.js";
export type { FormatOptions } from "./chat/model.js";
export type { ChatOptions, OpenThink } from "./chat/chat-options.js";
export type { ChoicesOptions } from "./chat/choices.js";
export { ChatSession } from "./chat/session.js";
export type { SessionOptions } from "./chat/session.js";
export type { FormattedChat } from "./chat/prompt.js";
export { Generation } from "./engine/generation.js";
export type { GenerateOptions } from "./engine/engine-options.js";
export type { EngineStats } from "./engine/engine.js";
export type { LoadOptions, Logger, MetadataValue, RopeOptions } from "./model/load-options.js";
export type { CacheType } from "./model/cache-types.js";
export { CACHE_TYPES } from "./model/cache-types.js";
export type { ModelInfo } from "./model/info.js";
export type { EncodeOptions, Tokenizer } from "./model/tokenizer.js";
export { DEFAULT_MODEL_PATH } from "./model/default-model.js";
export { devices } from "./model/devices.js";
export type { Device, DevicesOptions } from "./model/devices.js";
export { startRpcServer } from "./model/rpc-server.js";
export type { RpcServer, RpcServerOptions } from "./model/rpc-server.js";

// Sampling.
export { presets } from "./sampling/presets.js";
export type { PresetName } from "./sampling/presets.js";
export type { SamplerName, SamplingOptions } from "./sampling/options.js";

// Thinking, answers in a form, tools.
export { DEFAULT_CLOSING, EFFORTS } from "./reasoning/options.js";
export type { ReasoningEffort, ReasoningOptions } from "./reasoning/options.js";
export type { CloseOptions } from "./engine/drain.js";
export type { ResponseOptions } from "./sampling/response.js";
export type { JsonSchemaSource } from "./base/plain-schema.js";
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
export { diagnose } from "./gguf/doctor.js";
export type { DiagnoseOptions } from "./gguf/doctor.js";
export type {
  Diagnosis,
  Finding,
  FindingId,
  MetadataChange,
  RoleDiagnosis,
  Severity,
  TemplateForm,
  TokenKind,
} from "./gguf/doctor-types.js";
export { fixGguf } from "./gguf/doctor-fix.js";
export type { FixOptions, FixResult } from "./gguf/doctor-fix.js";
export { mergeGguf } from "./gguf/merge.js";
export type { MergeOptions, MergeResult } from "./gguf/merge.js";
export { splitGguf } from "./gguf/split.js";
export type { SplitOptions, SplitResult } from "./gguf/split.js";
export { writeModelfile } from "./gguf/modelfile.js";
export { quantize } from "./gguf/quantize.js";
export type { QuantizeResult } from "./gguf/quantize.js";
export type { QuantizeOptions } from "./gguf/quantize-options.js";
export type { TensorPlan } from "./gguf/quantize-plan.js";
export { QUANTIZE_TYPES } from "./gguf/quantize-types.js";
export type { QuantizeType } from "./gguf/quantize-types.js";
export { RECIPES } from "./gguf/recipes.js";
export type { Recipe, TensorTypeRule } from "./gguf/recipes.js";
export { computeImatrix } from "./gguf/quantize-imatrix.js";
export type { ImatrixOptions, ImatrixResult } from "./gguf/quantize-imatrix.js";
export { readImatrix } from "./gguf/imatrix.js";
export type { Imatrix } from "./gguf/imatrix.js";
export { R1_DISTILLS, R1_LAYERS, R1_QUANTS, ruleOfThumbLayers } from "./plan/catalogue.js";
export type { R1Distill, R1Quant } from "./plan/catalogue.js";

// What fits where.
export { planOffload } from "./model/plan-offload.js";
export type { OffloadPlan } from "./model/plan-offload.js";
export type { PlanOptions } from "./model/plan-options.js";
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
