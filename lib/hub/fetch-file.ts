// Fetches the missing parts of one file: several ranges at once, each resumed where it was
// interrupted, and the hash at the end.
import { R1Error, isR1Error } from "../base/errors.js";
import type { HubClient } from "./client.js";
import { shown } from "./failures.js";
import { GrowingHash } from "./hasher.js";
import type { HubFile } from "./listing.js";
import type { PartialFile } from "./partial-file.js";
import { missingPieces, type Range } from "./ranges.js";

/** One file to fetch. */
export interface FetchTask {
  readonly client: HubClient;
  readonly url: string;
  readonly file: HubFile;
  readonly partial: PartialFile;
  /** Requests at once. */
  readonly parallel: number;
  /** Most bytes of one request. */
  readonly chunkBytes: number;
  /** Called when bytes arrive. */
  readonly onBytes: (bytes: number) => void;
  /** Stops all requests of the download. */
  readonly stop: (error: unknown) => void;
}

/**
 * Compares an answer's headers with the request.
 * @throws {R1Error} `NETWORK_FAILED`.
 */
function checkRange(response: Response, { url, file }: FetchTask, [start, end]: Range): void {
  const wrongAnswer = (what: string): never => {
    throw new R1Error(
      "NETWORK_FAILED",
      `${shown(url)}: ${what}. The file may have been replaced. Try again; if this happens ` +
        "again, report it to the owner of the repository.",
      {
        details: { path: shown(url), status: response.status },
      },
    );
  };
  if (response.status === 416)
    wrongAnswer(
      `the server has no bytes from ${start} on, but the file is listed with ${file.bytes}`,
    );
  // A server may send the whole file if the whole file was requested.
  if (response.status !== 206) {
    if (start === 0 && end === file.bytes && response.status === 200) return;
    throw new R1Error(
      "NETWORK_FAILED",
      `${shown(url)} does not support range requests (HTTP ranges), which large ` +
        "files need. Use another endpoint.",
      {
        details: { path: shown(url), status: response.status },
      },
    );
  }
  const [, from, , total] =
    /^\s*bytes\s+(\d+)-(\d+)\/(\d+|\*)\s*$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (from === undefined || Number(from) !== start)
    wrongAnswer(`the server sent other bytes than those from ${start} on`);
  if (total !== undefined && total !== "*" && Number(total) !== file.bytes)
    wrongAnswer(`the server's file has ${total} bytes, and ${file.bytes} are listed`);
}

async function fetchPiece(task: FetchTask, [start, end]: Range, hash: GrowingHash): Promise<void> {
  const { client, url, partial } = task;
  const attempts = client.attempts();
  // The bytes on the disk must be the file's own, for git and the hash: no content encodings.
  for (let at = start; at < end;) {
    const { response, restartTimeout, stop } = await client.open(
      url,
      { range: `bytes=${at}-${end - 1}`, "accept-encoding": "identity" },
      attempts,
    );
    let cut: unknown = new Error("the connection was closed too early");
    try {
      checkRange(response, task, [at, end]);
      for await (const chunk of response.body ?? []) {
        restartTimeout();
        const bytes = (chunk as Uint8Array).subarray(0, end - at);
        if (bytes.length === 0) continue;
        await partial.write(bytes, at);
        at += bytes.length;
        attempts.succeeded();
        task.onBytes(bytes.length);
        hash.follow(partial.prefix, client.signal);
        client.signal.throwIfAborted();
        if (at === end) break;
      }
    } catch (error) {
      client.signal.throwIfAborted();
      if (isR1Error(error)) throw error;
      cut = error;
    } finally {
      stop();
      // Frees the connection if the rest is not needed.
      if (response.body !== null && !response.body.locked)
        await response.body.cancel().catch(() => undefined);
    }
    if (at < end) await attempts.failed(client.failure(url, cut));
  }
}

/**
 * Fetches the missing parts and compares the hash. Leaves the partial file open; it is complete on
 * return.
 *
 * @throws {R1Error} `HASH_MISMATCH`, `NETWORK_FAILED`, `FILE_NOT_FOUND`, `FILE_UNREADABLE`,
 * `NO_SPACE`, `IO_FAILED`; the signal's reason.
 */
export async function fetchFile(task: FetchTask): Promise<void> {
  const { client, file, partial } = task;
  const pieces = missingPieces(partial.ranges, file.bytes, task.chunkBytes);
  const hash = new GrowingHash(partial.handle, file.hash.kind, file.bytes);
  hash.follow(partial.prefix, client.signal);
  const work = async (): Promise<void> => {
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift())
      await fetchPiece(task, piece, hash);
  };
  try {
    const workers = Array.from({ length: Math.min(task.parallel, pieces.length) }, () =>
      work().catch((error: unknown) => {
        task.stop(error);
      }),
    );
    await Promise.all(workers);
    client.signal.throwIfAborted();
    const hex = await hash.finish(file.bytes, client.signal);
    if (hex !== file.hash.hex) throw mismatch(task, hex);
  } finally {
    await hash.settle();
  }
}

function mismatch({ url, file, partial }: FetchTask, hex: string): R1Error {
  const { kind, hex: expected } = file.hash;
  return new R1Error(
    "HASH_MISMATCH",
    `"${partial.target}": what came from ${url} hashes to ${hex} (${kind}), and the Hub lists ${expected}. It was damaged on its way or replaced; it has been removed. Download it again.`,
    { details: { path: partial.target, expected, received: hex } },
  );
}
