// R1Error and its guard: the one error class of the project.
import { ERROR_INFO } from "./error-info.js";
import type { R1ErrorCode } from "./error-info.js";

export type { R1ErrorCode } from "./error-info.js";

/**
 * Every stable code an {@link R1Error} can carry; `docs/reference/errors.md` has a section on each.
 */
export const R1_ERROR_CODES: readonly R1ErrorCode[] = Object.freeze(
  Object.keys(ERROR_INFO) as R1ErrorCode[],
);

const brand = Symbol.for("r1-native.R1Error");

/** Optional contents of an {@link R1Error}. */
export interface R1ErrorOptions {
  /** The error that caused this one. */
  cause?: unknown;
  /**
   * Facts for programs, e.g. `{ path, option, nearest }`; the message contains the same facts for
   * people.
   */
  details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class of r1-native. The message says what happened, to which file or option, and
 * what to do next; programs match on `code`.
 *
 * @example
 * ```ts
 * try { await loadModel("missing.gguf"); } catch (error) { if (isR1Error(error, "FILE_NOT_FOUND")) ask(); else throw error; }
 * ```
 */
export class R1Error extends Error {
  /** Always `"R1Error"`. */
  override readonly name = "R1Error";
  /** Stable, listed in `docs/reference/errors.md`. */
  readonly code: R1ErrorCode;
  /** Facts for programs; frozen. */
  readonly details: Readonly<Record<string, unknown>>;

  /** Whether the same call can succeed later, derived from the code: see {@link ERROR_INFO}. */
  get retriable(): boolean {
    return ERROR_INFO[this.code].retriable;
  }

  /** The HTTP status of a server's response to a request that failed with this code. */
  get httpStatus(): number {
    return ERROR_INFO[this.code].httpStatus;
  }

  constructor(code: R1ErrorCode, message: string, options: R1ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = Object.freeze({ ...options.details });
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Whether a value is an {@link R1Error}, including one from another copy of the library or another
 * realm.
 *
 * @param codes - If given, the error must have one of these codes, and `code` gets their type.
 * @example
 * ```ts
 * if (isR1Error(error, "QUEUE_FULL", "CONTEXT_FULL")) response.status(503);
 * ```
 */
export function isR1Error<const C extends R1ErrorCode = R1ErrorCode>(
  error: unknown,
  ...codes: C[]
): error is R1Error & { readonly code: C } {
  if (typeof error !== "object" || error === null || !(brand in error)) return false;
  return codes.length === 0 || (codes as unknown[]).includes((error as { code?: unknown }).code);
}

/** Whether a text is one of {@link R1_ERROR_CODES}. */
export function isErrorCode(code: unknown): code is R1ErrorCode {
  return (R1_ERROR_CODES as readonly unknown[]).includes(code);
}

/** Errors that native code created; their own stack names no public call. */
const fromAddon = new WeakSet<R1Error>();

/** Creates the error of a native failure. */
export function nativeError(code: string, message: string): R1Error {
  const error = new R1Error(isErrorCode(code) ? code : "INTERNAL", message);
  fromAddon.add(error);
  return error;
}

function withStack(error: R1Error, site: Error | undefined): R1Error {
  if (site?.stack !== undefined)
    error.stack = `${error.name}: ${error.message}\n${site.stack.split("\n").slice(1).join("\n")}`;
  return error;
}

/**
 * Converts an error of native code to an {@link R1Error} with the stack of the public call.
 *
 * @param error - The native failure: an Error with `code` and `message`.
 * @param site - An Error created at the public call; its stack is used.
 */
export function fromNative(error: unknown, site?: Error): R1Error {
  if (isR1Error(error)) return fromAddon.has(error) ? withStack(error, site) : error;
  const raw = error as { code?: unknown; message?: unknown } | null;
  const code = isErrorCode(raw?.code) ? raw.code : "INTERNAL";
  const made = new R1Error(code, typeof raw?.message === "string" ? raw.message : String(error), {
    cause: error,
  });
  return withStack(made, site);
}
