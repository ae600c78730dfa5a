// Reads a request's JSON body within bounds: its type, its bytes and its depth are checked before
// it is parsed.
import { ApiError, badRequest, clientGone } from "./api-error.js";

/** Bounds on a body. */
export interface BodyLimits {
  /** Unit: bytes. */
  readonly maxBodyBytes: number;
  /** Nested objects and arrays. */
  readonly maxDepth: number;
}

function tooLarge(most: number): ApiError {
  return new ApiError(`The request body is longer than the ${most} bytes that are allowed.`, {
    status: 413,
    type: "invalid_request_error",
    code: "request_too_large",
  });
}

/**
 * A browser sends other types to any server without asking first; requiring this one keeps foreign
 * web pages out.
 */
function checkType(request: Request): void {
  const type = request.headers.get("content-type") ?? "";
  if (/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) return;
  throw new ApiError("Send the body as JSON, with the header `Content-Type: application/json`.", {
    status: 415,
    type: "invalid_request_error",
    code: "unsupported_media_type",
  });
}

async function readBytes(request: Request, most: number): Promise<Uint8Array> {
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > most) throw tooLarge(most);
  if (request.body === null) return new Uint8Array(0);
  const pieces: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const piece of request.body as ReadableStream<Uint8Array>) {
      total += piece.byteLength;
      if (total > most) throw tooLarge(most);
      pieces.push(piece);
    }
  } catch (error) {
    // A client that goes while it sends is no failure of the server.
    throw error instanceof ApiError ? error : clientGone();
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Deepest nesting of JSON text, read without recursion; for text that is no JSON, of its brackets. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return deepest;
}

/**
 * The JSON object of a request's body.
 *
 * @throws {ApiError} 415 for another content type, 413 for too many bytes, 400 for what is no JSON
 * object or nested too deep.
 */
export async function readJson(
  request: Request,
  limits: BodyLimits,
): Promise<Record<string, unknown>> {
  checkType(request);
  const bytes = await readBytes(request, limits.maxBodyBytes);
  if (depthOf(bytes) > limits.maxDepth)
    throw badRequest(
      `The request body is nested more than ${limits.maxDepth} levels deep.`,
      null,
      "too_deep",
    );
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8").decode(bytes));
  } catch {
    throw badRequest("The request body is not valid JSON.", null, "invalid_json");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badRequest("The request body must be a JSON object.", null, "invalid_json");
  return value as Record<string, unknown>;
}
