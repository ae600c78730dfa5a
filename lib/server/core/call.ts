// What a route asks the core to generate.
import type { ErrorWords } from "./api-error.js";
import type { RunInput } from "./run.js";

/** What a route wants to have generated. */
export interface GenerateCall extends RunInput {
  /** The request's `model`; undefined: the first model. */
  readonly model: string | undefined;
  /** Model names that the protocol's clients have fixed, and that stand for the first model. */
  readonly modelFallback?: RegExp | undefined;
  readonly words: ErrorWords;
  /** It is an auxiliary request (`exchange.isAuxiliary`): low priority, without the cache. */
  readonly isAuxiliary: boolean;
  /** Events `queued` are wanted. */
  readonly wantsQueue?: boolean | undefined;
  /** Most time of this request; the server's own limit holds beside it. Unit: milliseconds. */
  readonly timeoutMs?: number | undefined;
}
