// The interface of a model that answers: servers, batches and providers are written against it.
import type { ChatMessageInput } from "../base/types.js";
import type { CloseOptions } from "../engine/drain.js";
import type { GenerateOptions } from "../engine/engine-options.js";
import type { EngineStats } from "../engine/engine.js";
import type { Generation } from "../engine/generation.js";
import type { ChatOptions } from "./chat-options.js";
import type { ChoicesOptions } from "./choices.js";
import type { ModelInfo } from "./info.js";

/**
 * A model that answers chats and continues raw prompts. {@link Model} implements it. The server,
 * the batch runner and the AI SDK provider accept any object of this shape, so a router, a remote
 * client or a test double can take the place of a loaded file.
 *
 * Every method except `close` throws R1Error `DISPOSED` after `close()`.
 */
export interface ChatModel {
  /** Facts about the file and its context; readable after `close()`. */
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

  /** Returns the state of the engine without stopping it. */
  stats(): EngineStats;

  /** Ends running generations and frees the model; see {@link Model.close}. */
  close(options?: CloseOptions): Promise<void>;
}
