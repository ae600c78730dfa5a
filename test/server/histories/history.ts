// One entry of the zoo of histories: a conversation in the form in which a client sends it, and what
// the server must make of it.

/** An entry; without `refused` it must be answered. */
export interface History {
  /** Whose form it is, or what is odd about it. */
  readonly name: string;
  /** `messages` of chat and Messages requests, `input` of Responses requests. */
  readonly turns: unknown;
  /** Further fields of the request. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** The place that a 400 names: OpenAI's own server, or Anthropic's, refuses it too. */
  readonly refused?: string;
  /** Texts that the prompt must have, in this order, and texts that it must not have. */
  readonly has?: readonly string[];
  readonly lacks?: readonly string[];
}

/** A turn of the user. */
export const user = (content: unknown): object => ({ role: "user", content });

/** A turn of the assistant. */
export const assistant = (content: unknown, more: object = {}): object => ({
  role: "assistant",
  content,
  ...more,
});

/** A call of chat completions. */
export const call = (id: unknown, args: unknown, name = "f"): object => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

/** A result of chat completions. */
export const result = (id: unknown, content: unknown): object => ({
  role: "tool",
  tool_call_id: id,
  content,
});

/** The function that calls of the zoo name, as chat completions have it. */
export const TOOL = { type: "function", function: { name: "f", parameters: { type: "object" } } };
