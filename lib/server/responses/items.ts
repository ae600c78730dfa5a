// The items of the Responses API as this server writes them: plain JSON, in OpenAI's words.

/** Whether an item is still being written. */
export type ItemStatus = "in_progress" | "completed" | "incomplete";

/** Log probabilities of a token of the output. */
export interface OutputLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly Omit<OutputLogprob, "top_logprobs">[];
}

/** A text that the assistant says. */
export interface OutputText {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: readonly [];
  readonly logprobs: readonly OutputLogprob[];
}

/** What the assistant says. */
export interface MessageItem {
  readonly type: "message";
  readonly id: string;
  readonly role: "assistant";
  readonly status: ItemStatus;
  readonly content: readonly OutputText[];
}

/** What it thought: its text, or the same as a summary for clients that show only that. */
export interface ReasoningItem {
  readonly type: "reasoning";
  readonly id: string;
  readonly status: ItemStatus;
  readonly summary: readonly { readonly type: "summary_text"; readonly text: string }[];
  readonly content?: readonly { readonly type: "reasoning_text"; readonly text: string }[];
  readonly encrypted_content: null;
}

/** A call of a function. */
export interface FunctionCallItem {
  readonly type: "function_call";
  readonly id: string;
  readonly call_id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
  readonly status: ItemStatus;
}

/** An item of a response's output. */
export type OutputItem = MessageItem | ReasoningItem | FunctionCallItem;

/** An item of a request's input, in whatever form the client gave it. */
export type InputItem = Readonly<Record<string, unknown>>;
