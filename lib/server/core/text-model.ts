// The text side of a model, for routes that need more than a `ChatModel`: its tokenizer and template.
import type {
  ChatMessageInput,
  ChatModel,
  FormattedChat,
  FormatOptions,
  Tokenizer,
} from "../../index.js";
import { ApiError } from "./api-error.js";
import type { ModelEntry } from "./models.js";
import type { Exchange } from "./protocol.js";

/** What these routes need of a model beyond `ChatModel`. */
interface TextModel extends ChatModel {
  readonly tokenizer: Tokenizer;
  formatChatAsync(
    messages: readonly ChatMessageInput[],
    options?: FormatOptions,
  ): Promise<FormattedChat>;
}

/** Whether a model has a text side. */
export function isTextModel(model: ChatModel): model is TextModel {
  const { tokenizer, formatChatAsync } = model as Partial<TextModel>;
  return typeof tokenizer?.encodeAsync === "function" && typeof formatChatAsync === "function";
}

/** Runs work with the text side of a model. @throws {ApiError} 501 for a model without one */
export async function withTextModel<T>(
  { core }: Exchange,
  entry: ModelEntry,
  work: (model: TextModel) => Promise<T> | T,
): Promise<T> {
  const lease = await core.models.lease(entry);
  try {
    if (!isTextModel(lease.model))
      throw new ApiError("This model has no tokenizer to ask.", {
        status: 501,
        type: "not_supported_error",
        code: "not_supported",
      });
    return await work(lease.model);
  } finally {
    lease.release();
  }
}
