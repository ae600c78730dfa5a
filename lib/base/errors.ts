// R1Error, its codes and its guard: the one error class of the project. Runs on any JavaScript thread.

/**
 * Every stable code an {@link R1Error} can carry. `docs/errors.md` says of each when it comes up, what to do, and whether trying again can help.
 */
export const R1_ERROR_CODES = [
  "INVALID_ARGUMENT",
  "UNKNOWN_OPTION",
  "INVALID_MESSAGE",
  "ADDON_MISSING",
  "FILE_NOT_FOUND",
  "FILE_UNREADABLE",
  "FILE_IS_DIRECTORY",
  "FILE_EMPTY",
  "FILE_TRUNCATED",
  "FILE_EXISTS",
  "FILE_BUSY",
  "NOT_GGUF",
  "GGUF_INVALID",
  "SHARD_MISSING",
  "SHARD_INVALID",
  "MODEL_UNSUPPORTED",
  "MODEL_LOAD_FAILED",
  "CACHE_TYPE_UNSUPPORTED",
  "OUT_OF_MEMORY",
  "NO_SPACE",
  "IO_FAILED",
  "NETWORK_FAILED",
  "HASH_MISMATCH",
  "ABORTED",
  "DISPOSED",
  "PROMPT_TOO_LONG",
  "CONTEXT_FULL",
  "QUEUE_FULL",
  "SESSION_BUSY",
  "TIMEOUT",
  "DECODE_FAILED",
  "TEMPLATE_UNSUPPORTED",
  "GRAMMAR_INVALID",
  "SCHEMA_UNSUPPORTED",
  "STATE_INVALID",
  "STATE_MISMATCH",
  "QUANTIZE_FAILED",
  "CHILD_CRASHED",
  "ENGINE_CRASHED",
  "RPC_UNREACHABLE",
  "RPC_BUSY",
  "RPC_INVALID",
  "RPC_SERVER_FAILED",
  "INTERNAL",
] as const;

/** One of {@link R1_ERROR_CODES}. */
export type R1ErrorCode = (typeof R1_ERROR_CODES)[number];

const brand = Symbol.for("r1-native.R1Error");

/** What else an {@link R1Error} may carry. */
export interface R1ErrorOptions {
  /** What brought it about. */
  cause?: unknown;
  /** Facts for programs, e.g. `{ path, option, nearest }`; the message holds the same for people. */
  details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class of r1-native. The message says what happened, to which file or option, and what to do next; programs match on `code`.
 *
 * @example
 * ```ts
 * try { await loadModel("missing.gguf"); } catch (error) { if (isR1Error(error, "FILE_NOT_FOUND")) ask(); else throw error; }
 * ```
 */
export class R1Error extends Error {
  /** Always `"R1Error"`. */
  override readonly name = "R1Error";
  /** Stable, listed in `docs/errors.md`. */
  readonly code: R1ErrorCode;
  /** Facts for programs; frozen. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: R1ErrorCode, message: string, options: R1ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = Object.freeze({ ...options.details });
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Tells an {@link R1Error} from other values, also one that came from another copy of the library or another realm.
 *
 * @param code - If given, the error must carry this code.
 */
export function isR1Error(error: unknown, code?: R1ErrorCode): error is R1Error {
  if (typeof error !== "object" || error === null || !(brand in error)) return false;
  return code === undefined || (error as { code?: unknown }).code === code;
}

/** Whether a text is one of {@link R1_ERROR_CODES}. */
export function isErrorCode(code: unknown): code is R1ErrorCode {
  return (R1_ERROR_CODES as readonly unknown[]).includes(code);
}

/**
 * Turns what native code threw into an {@link R1Error} whose stack is that of the public call.
 *
 * @param error - The native failure: an Error with `code` and `message`.
 * @param site - An Error made at the public call; its stack is kept.
 */
export function fromNative(error: unknown, site?: Error): R1Error {
  if (isR1Error(error)) return error;
  const raw = error as { code?: unknown; message?: unknown } | null;
  const code = isErrorCode(raw?.code) ? raw.code : "INTERNAL";
  const made = new R1Error(code, typeof raw?.message === "string" ? raw.message : String(error), {
    cause: error,
  });
  if (site?.stack !== undefined)
    made.stack = `${made.name}: ${made.message}\n${site.stack.split("\n").slice(1).join("\n")}`;
  return made;
}
