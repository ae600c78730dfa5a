// Public exports of r1-native: loads a model and generates with it. Files, downloads and plans have
// their own entry points: files.ts, hub.ts, plan.ts.

// Loading and generating.
export { loadModel } from "./model/load-model.js";
export type { Model } from "./model/model.js";
export type { ChatModel } from "./model/chat-model.js";
export type { ChatOptions, FormatOptions, OpenThink } from "./model/chat-options.js";
export type { ChoicesOptions } from "./model/choices.js";
export type { ChatSession, SessionOptions } from "./model/session.js";
export type { FormattedChat } from "./model/prompt.js";
export type { Generation } from "./engine/generation.js";
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
export { llamaVersion } from "./machine/llama-version.js";
export { startRpcServer } from "./rpc/rpc-server.js";
export type { RpcServer, RpcServerOptions } from "./rpc/rpc-server.js";

// Sampling.
export { presets } from "./sampling/presets.js";
export type { PresetName } from "./sampling/presets.js";
export type { SamplerName, SamplingOptions } from "./sampling/options.js";

// Reasoning, constrained answers, tools.
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

// Results and messages.
export type {
  ChatMessage,
  ChatMessageInput,
  ChatRole,
  ContentPart,
  FinishPart,
  PromptProgressPart,
  TextDelta,
  ToolCallDelta,
  ToolCallError,
  ToolCallStart,
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

// A lock that gives one process write access to a file.
export { lockFile } from "./machine/file-lock.js";
export type { FileLock } from "./machine/file-lock.js";

// Errors.
export { R1Error, R1_ERROR_CODES, isR1Error } from "./base/errors.js";
export type { R1ErrorCode } from "./base/errors.js";
export { ERROR_INFO } from "./base/error-info.js";
export type { ErrorInfo } from "./base/error-info.js";
