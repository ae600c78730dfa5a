// Reads the header of a GGUF file over HTTP through @huggingface/gguf. Range requests fetch a few
// megabytes of a file of any size.
import { gguf } from "@huggingface/gguf";
import { refuse } from "../base/check.js";
import { isR1Error, R1Error } from "../base/errors.js";
import { connectionReason, shown } from "../hub/failures.js";
import { proxyFetch } from "../hub/proxy.js";
import type { RetryNotice } from "../hub/retry.js";
import { invalidGguf } from "./cursor.js";
import {
  GGUF_LIMITS,
  GGUF_VALUE_TYPES,
  type GgufElements,
  type GgufEntry,
  type GgufHeader,
  type GgufScalar,
  type GgufTensor,
} from "./format.js";
import { ggmlTypeById, tensorBytes } from "./ggml-types.js";
import { padTo } from "./header.js";

/** Maximum bytes to fetch for one header. */
const MAX_BYTES = 48 * 1024 * 1024;
/** Longest wait for one range. Unit: milliseconds. */
const RANGE_TIMEOUT_MS = 30_000;

/** How to reach a remote file. */
export interface RemoteOptions {
  /**
   * Headers to send, for example an authorization. They are sent only to the URL's own host, like
   * `fetch` does on redirects.
   */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Replaces the platform's `fetch`. */
  fetch?: typeof fetch | undefined;
  signal?: AbortSignal | undefined;
  /** Called before each retry while a model named `hf:...` is looked up. */
  onRetry?: ((notice: RetryNotice) => void) | undefined;
}

function httpError(url: string, status: number): R1Error {
  const details = { path: shown(url), status };
  if (status === 404)
    return new R1Error(
      "FILE_NOT_FOUND",
      `There is no file at ${shown(url)} (HTTP 404). Check the address.`,
      { details },
    );
  if (status === 401 || status === 403) {
    return new R1Error(
      "FILE_UNREADABLE",
      `${shown(url)} may not be read (HTTP ${status}). Send an authorization if the repository is private or gated.`,
      {
        details,
      },
    );
  }
  return new R1Error(
    "NETWORK_FAILED",
    `${shown(url)} answered with HTTP ${status}. Try again later.`,
    { details },
  );
}

/** Creates the error for a request without an answer, or with an incomplete one. */
function connectionFailure(url: string, error: unknown): R1Error {
  const options = { cause: error, details: { path: shown(url) } };
  if ((error as Error | null)?.name === "TimeoutError")
    return new R1Error(
      "TIMEOUT",
      `${shown(url)} did not answer within ${RANGE_TIMEOUT_MS / 1000} seconds. Try again later.`,
      options,
    );
  const advice =
    "Check the address, the network and any proxy, or download the file and inspect the copy.";
  return new R1Error(
    "NETWORK_FAILED",
    `The connection to ${shown(url)} failed: ${connectionReason(error)}. ${advice}`,
    options,
  );
}

/** Returns the part of a whole file that a request asked for. */
function rangeOf(whole: ArrayBuffer, init: RequestInit | undefined): Response {
  const [, from = "0", to = ""] =
    /^bytes=(\d+)-(\d*)$/.exec(new Headers(init?.headers).get("range") ?? "") ?? [];
  return new Response(whole.slice(Number(from), to === "" ? undefined : Number(to) + 1), {
    status: 206,
  });
}

/** A `fetch` that requests only ranges, and a limited number of them. */
class RangeFetcher {
  fileBytes: number | undefined;
  fetchedBytes = 0;
  /** The whole of a small file, from a server that does not support ranges. */
  #whole: ArrayBuffer | undefined;
  readonly #url: string;
  readonly #options: RemoteOptions;

  constructor(url: string, options: RemoteOptions) {
    this.#url = url;
    this.#options = options;
  }

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    try {
      return await this.#range(input, init);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      throw isR1Error(error) ? error : connectionFailure(this.#url, error);
    }
  };

  async #range(input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
    if (this.#whole !== undefined) return rangeOf(this.#whole, init);
    const timeout = AbortSignal.timeout(RANGE_TIMEOUT_MS);
    const signal =
      this.#options.signal === undefined
        ? timeout
        : AbortSignal.any([timeout, this.#options.signal]);
    const response = await (this.#options.fetch ?? (await proxyFetch()))(input, {
      ...init,
      signal,
    });
    // The request is past the end of a file that is shorter than the ranges requested.
    if (response.status === 416) return new Response(new Uint8Array(0), { status: 200 });
    if (!response.ok) throw httpError(this.#url, response.status);
    const length = Number(response.headers.get("content-length") ?? "0");
    const total = /\/\s*(\d+)\s*$/.exec(response.headers.get("content-range") ?? "")?.[1];
    if (response.status !== 206 && !(length > 0 && length <= MAX_BYTES)) {
      await response.body?.cancel();
      throw new R1Error(
        "NETWORK_FAILED",
        `${shown(this.#url)} does not support range requests (HTTP ranges). Download ` +
          "the file and inspect the copy.",
        {
          details: { path: this.#url },
        },
      );
    }
    // "bytes 0-99/*": the server does not know the length of the file.
    if (total !== undefined || response.status !== 206)
      this.fileBytes = total === undefined ? length : Number(total);
    const body = await response.arrayBuffer();
    this.fetchedBytes += body.byteLength;
    if (this.fetchedBytes > MAX_BYTES)
      throw invalidGguf(this.#url, `its header is longer than ${MAX_BYTES} bytes`);
    if (response.status === 206)
      return new Response(body, { status: response.status, headers: response.headers });
    this.#whole = body;
    return rangeOf(body, init);
  }
}

function scalar(value: unknown): GgufScalar {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return value as GgufScalar;
}

function entryOf(
  url: string,
  key: string,
  typed: { type: number; subType?: number; value: unknown },
): GgufEntry {
  const type = GGUF_VALUE_TYPES[typed.type];
  if (type === undefined)
    throw invalidGguf(url, `metadata "${key}" has the unknown type ${typed.type}`);
  const place = { key, start: 0, end: 0 };
  if (type !== "arr") return { ...place, type, value: scalar(typed.value) };
  const elementType = GGUF_VALUE_TYPES[typed.subType ?? -1];
  if (elementType === undefined || elementType === "arr")
    throw invalidGguf(url, `metadata "${key}" is an array of an unknown type`);
  const values = typed.value as unknown[];
  const elements: GgufElements = {
    length: values.length,
    at: (i) => (i in values ? scalar(values[i]) : undefined),
  };
  return { ...place, type, elementType, elements };
}

function tensorOf(
  url: string,
  info: { name: string; shape: bigint[]; dtype: number; offset: bigint },
): GgufTensor {
  const shape = info.shape.map(Number);
  const type = ggmlTypeById(info.dtype);
  const bytes = type === undefined ? undefined : tensorBytes(type, shape);
  if (type === undefined || bytes === undefined || !Number.isSafeInteger(bytes))
    throw invalidGguf(url, `tensor "${info.name}" has an unknown type or an impossible shape`);
  return { name: info.name, shape, type, offset: Number(info.offset), bytes };
}

/**
 * Reads the header of a remote GGUF file.
 *
 * @param url - `http:` or `https:`; the server must support ranges.
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_UNREADABLE` (no permission), `NETWORK_FAILED`,
 * `TIMEOUT` (no answer within 30 seconds), `FILE_TRUNCATED`, `NOT_GGUF`, `GGUF_INVALID`,
 * `INVALID_ARGUMENT` (not an address); the signal's reason.
 */
export async function readRemoteHeader(
  url: string,
  options: RemoteOptions = {},
): Promise<GgufHeader> {
  if (!URL.canParse(url)) refuse("source", "a valid address", url);
  const fetcher = new RangeFetcher(url, options);
  const parsed = await gguf(url, {
    fetch: fetcher.fetch,
    additionalFetchHeaders: { ...options.headers },
    typedMetadata: true,
  }).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    if (isR1Error(error)) throw error;
    const failure = error as Error;
    if (failure.message.includes("magic number"))
      throw new R1Error("NOT_GGUF", `${shown(url)} is not a GGUF file.`, {
        cause: error,
        details: { path: url },
      });
    throw invalidGguf(url, failure.message);
  });
  const entries = new Map<string, GgufEntry>();
  const own = ["version", "tensor_count", "kv_count"];
  for (const [key, typed] of Object.entries(
    parsed.typedMetadata as unknown as Record<
      string,
      { type: number; subType?: number; value: unknown }
    >,
  )) {
    if (!own.includes(key)) entries.set(key, entryOf(url, key, typed));
  }
  if (parsed.tensorInfos.length > GGUF_LIMITS.tensors)
    throw invalidGguf(url, `it claims ${parsed.tensorInfos.length} tensors`);
  const tensors = parsed.tensorInfos.map((info) => tensorOf(url, info));
  const dataOffset = Number(parsed.tensorDataOffset);
  const fileBytes = fetcher.fileBytes ?? 0;
  if (fetcher.fileBytes !== undefined && dataOffset > padTo(fileBytes, 32))
    throw new R1Error(
      "FILE_TRUNCATED",
      `${shown(url)} ends inside its header: it is ${fileBytes} bytes long.`,
      { details: { path: url, fileBytes } },
    );
  const alignment = entries.get("general.alignment");
  const last = tensors.at(-1);
  return {
    path: url,
    fileBytes,
    version: parsed.metadata.version,
    alignment: alignment?.type === "u32" ? (alignment.value as number) : 32,
    entries,
    tensors,
    metadataEnd: parsed.tensorInfoByteRange[0],
    dataOffset,
    dataEnd: last === undefined ? dataOffset : dataOffset + last.offset + last.bytes,
  };
}
