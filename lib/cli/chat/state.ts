// What the slash commands of a conversation work with. Main thread.
import type { Generation, ModelInfo } from "../../index.js";
import type { Attachments } from "./attachments.js";
import type { Conversation } from "./conversation.js";

/** A running conversation, as its commands see it. */
export interface ChatState {
  readonly conversation: Conversation;
  readonly attachments: Attachments;
  /** A person types and reads. */
  readonly isTerminal: boolean;
  /** The model that answers now. */
  readonly info: () => ModelInfo;
  /** Shows a message to the user. */
  readonly say: (text: string) => void;
  /** Shows a reply. */
  readonly show: (generation: Generation) => Promise<void>;
  /** Sends a text with what is attached, and shows the reply. */
  readonly send: (text: string) => Promise<void>;
  /** Reports a failure. */
  readonly report: (error: Error) => void;
  /** Leaves the terminal to another program while `work` runs. */
  readonly away: <T>(work: () => T) => T;
  /** Loads another model and continues the conversation with it. */
  readonly switchModel: (name: string) => Promise<void>;
}

/** A command of a conversation. */
export interface SlashCommand {
  /** Its name and other spellings, without the slash. */
  readonly names: readonly string[];
  /** What follows the name, in help. */
  readonly takes: string;
  readonly doc: string;
  /** What Tab completes after the name. */
  readonly completes?: "file" | "flag" | readonly string[];
  readonly act: (state: ChatState, rest: string) => void | Promise<void>;
}
