// The interface of a model that answers: what servers, batches and providers are written against.
import type { ChatMessageInput } from "../base/types.js";
import type { CloseOptions } from "../engine/drain.js";
import type { GenerateOptions } from "../engine/engine-options.js";
import type { EngineStats } from "../engine/engine.js";
import type { Generation } from "../engine/generation.js";
import type { ChatOptions } from "./chat-options.js";
import type { ChoicesOptions } from "./choices.js";
import type { ModelInfo } from "./info.js";

/**
 * A model that answers chats and continues raw prompts. {@link Model} implements it; the server,
 * the batch runner and the AI SDK provider accept any object of this shape, so that a router, a
 * remote client or a model of a test can stand in for a loaded file.
 *
 * Every method but `close` throws R1Error `DISPOSED` after `close()`.
 */
export interface ChatModel {
  /** Facts of the file and of the context it runs in; stays readable after `close()`. */
  readonly info: ModelInfo;

  /** Answers a conversation; see {@link Model.chat}. */
  chat(messages: readonly ChatMessageInput[], options?: ChatOptions): Generation;

  /** Continues a raw prompt; see {@link Model.complete}. */
  complete(prompt: string | Int32Array | readonly number[], options?: GenerateOptions): Generation;

  /** `n` generations from one conversation; see {@link Model.choices}. */
  choices(
    messages: readonly ChatMessageInput[],
    options: ChatOptions & ChoicesOptions,
  ): Generation[];
  /** `n` generations from one raw prompt. */
  choices(prompt: string | Int32Array, options: GenerateOptions & ChoicesOptions): Generation[];

  /** What the engine is doing, read without stopping it. */
  stats(): EngineStats;

  /** Ends running generations and frees the model; see {@link Model.close}. */
  close(options?: CloseOptions): Promise<void>;
}
