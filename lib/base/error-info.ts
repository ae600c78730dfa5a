// The table of error codes: whether a retry can help, and the matching HTTP status. Data only.

/** What a program can derive from an error's code. */
export interface ErrorInfo {
  /**
   * Whether the same call can succeed later, by itself or once its cause is removed (a full disk, a
   * busy server). False: the call itself must change.
   */
  readonly retriable: boolean;
  /** The HTTP status of a server's response to a request that failed with this code. */
  readonly httpStatus: number;
  /**
   * What a batch does with a row that failed with this code: `fail` writes an error record, `retry`
   * tries the row again a limited number of times, `stop` ends the batch, because every row would
   * fail in the same way.
   */
  readonly batch: "fail" | "retry" | "stop";
}

const caller = { retriable: false, httpStatus: 400, batch: "fail" } as const;
const file = { retriable: false, httpStatus: 500, batch: "stop" } as const;
const system = { retriable: true, httpStatus: 500, batch: "retry" } as const;
const busy = { retriable: true, httpStatus: 503, batch: "retry" } as const;
/** The disk or the output file failed: no row can be written. */
const output = { retriable: true, httpStatus: 500, batch: "stop" } as const;

/** Every code of an `R1Error`. `docs/reference/errors.md` has a section on each. */
export const ERROR_INFO = Object.freeze({
  INVALID_ARGUMENT: caller,
  UNKNOWN_OPTION: caller,
  CONFIG_INVALID: file,
  CONFIG_FORBIDDEN: file,
  INVALID_MESSAGE: caller,
  TEXT_TOO_LONG: { retriable: false, httpStatus: 413, batch: "fail" },
  ADDON_MISSING: file,
  FILE_NOT_FOUND: file,
  FILE_UNREADABLE: output,
  FILE_UNWRITABLE: output,
  FILE_IS_DIRECTORY: file,
  FILE_EMPTY: file,
  FILE_TRUNCATED: file,
  FILE_EXISTS: file,
  FILE_BUSY: output,
  NOT_GGUF: file,
  GGUF_INVALID: file,
  SHARD_MISSING: file,
  SHARD_INVALID: file,
  MODEL_UNSUPPORTED: file,
  MODEL_LOAD_FAILED: file,
  CACHE_TYPE_UNSUPPORTED: file,
  OUT_OF_MEMORY: busy,
  RESOURCE_EXHAUSTED: busy,
  NO_SPACE: { retriable: true, httpStatus: 507, batch: "stop" },
  IO_FAILED: output,
  NETWORK_FAILED: { retriable: true, httpStatus: 502, batch: "retry" },
  HASH_MISMATCH: { retriable: true, httpStatus: 502, batch: "stop" },
  ABORTED: { retriable: true, httpStatus: 499, batch: "stop" },
  DISPOSED: { retriable: false, httpStatus: 503, batch: "stop" },
  PROMPT_TOO_LONG: caller,
  CONTEXT_FULL: busy,
  QUEUE_FULL: busy,
  SESSION_BUSY: { retriable: true, httpStatus: 409, batch: "retry" },
  TIMEOUT: { retriable: true, httpStatus: 504, batch: "fail" },
  DECODE_FAILED: system,
  TEMPLATE_UNSUPPORTED: caller,
  GRAMMAR_INVALID: caller,
  SCHEMA_UNSUPPORTED: caller,
  STATE_INVALID: caller,
  STATE_MISMATCH: { retriable: false, httpStatus: 409, batch: "fail" },
  QUANTIZE_FAILED: file,
  CHILD_CRASHED: system,
  ENGINE_CRASHED: busy,
  RPC_UNREACHABLE: { retriable: true, httpStatus: 502, batch: "retry" },
  RPC_BUSY: busy,
  RPC_INVALID: { retriable: false, httpStatus: 502, batch: "stop" },
  RPC_SERVER_FAILED: system,
  INPUT_INVALID: { retriable: false, httpStatus: 400, batch: "stop" },
  RUN_MISMATCH: { retriable: false, httpStatus: 409, batch: "stop" },
  JOURNAL_INVALID: file,
  PACKAGE_MISSING: file,
  QUEUE_UNREACHABLE: { retriable: true, httpStatus: 502, batch: "stop" },
  QUEUE_UNSAFE: file,
  WORKER_LOST: { retriable: true, httpStatus: 500, batch: "fail" },
  INTERNAL: { retriable: false, httpStatus: 500, batch: "fail" },
} as const satisfies Readonly<Record<string, ErrorInfo>>);

/** One of the keys of {@link ERROR_INFO}. */
export type R1ErrorCode = keyof typeof ERROR_INFO;
