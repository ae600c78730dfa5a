// The table of error codes: whether trying again can help, and which HTTP status fits. Data only.

/** What a program can know of an error by its code. */
export interface ErrorInfo {
  /**
   * Whether the same call can succeed later, by itself or once its cause is removed (a full disk,
   * a busy server). False: the call itself must change.
   */
  readonly retriable: boolean;
  /** The HTTP status with which a server answers a request that ended so. */
  readonly httpStatus: number;
}

const caller = { retriable: false, httpStatus: 400 } as const;
const file = { retriable: false, httpStatus: 500 } as const;
const system = { retriable: true, httpStatus: 500 } as const;
const busy = { retriable: true, httpStatus: 503 } as const;

/** Every code of an `R1Error`. `docs/errors.md` has a section on each. */
export const ERROR_INFO = Object.freeze({
  INVALID_ARGUMENT: caller,
  UNKNOWN_OPTION: caller,
  INVALID_MESSAGE: caller,
  TEXT_TOO_LONG: { retriable: false, httpStatus: 413 },
  ADDON_MISSING: file,
  FILE_NOT_FOUND: file,
  FILE_UNREADABLE: system,
  FILE_UNWRITABLE: system,
  FILE_IS_DIRECTORY: file,
  FILE_EMPTY: file,
  FILE_TRUNCATED: file,
  FILE_EXISTS: file,
  FILE_BUSY: system,
  NOT_GGUF: file,
  GGUF_INVALID: file,
  SHARD_MISSING: file,
  SHARD_INVALID: file,
  MODEL_UNSUPPORTED: file,
  MODEL_LOAD_FAILED: file,
  CACHE_TYPE_UNSUPPORTED: file,
  OUT_OF_MEMORY: busy,
  RESOURCE_EXHAUSTED: busy,
  NO_SPACE: { retriable: true, httpStatus: 507 },
  IO_FAILED: system,
  NETWORK_FAILED: { retriable: true, httpStatus: 502 },
  HASH_MISMATCH: { retriable: true, httpStatus: 502 },
  ABORTED: { retriable: true, httpStatus: 499 },
  DISPOSED: { retriable: false, httpStatus: 503 },
  PROMPT_TOO_LONG: caller,
  CONTEXT_FULL: busy,
  QUEUE_FULL: busy,
  SESSION_BUSY: { retriable: true, httpStatus: 409 },
  TIMEOUT: { retriable: true, httpStatus: 504 },
  DECODE_FAILED: system,
  TEMPLATE_UNSUPPORTED: caller,
  GRAMMAR_INVALID: caller,
  SCHEMA_UNSUPPORTED: caller,
  STATE_INVALID: caller,
  STATE_MISMATCH: { retriable: false, httpStatus: 409 },
  QUANTIZE_FAILED: file,
  CHILD_CRASHED: system,
  ENGINE_CRASHED: busy,
  RPC_UNREACHABLE: { retriable: true, httpStatus: 502 },
  RPC_BUSY: busy,
  RPC_INVALID: { retriable: false, httpStatus: 502 },
  RPC_SERVER_FAILED: system,
  INTERNAL: file,
} as const satisfies Readonly<Record<string, ErrorInfo>>);

/** One of the keys of {@link ERROR_INFO}. */
export type R1ErrorCode = keyof typeof ERROR_INFO;
