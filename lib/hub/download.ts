// downloadModel: fetches files of a repository on the Hub. A file appears only when it is complete
// and its hash is verified. Asynchronous.
import { createReadStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import * as check from "../base/check.js";
import { isR1Error, R1Error } from "../base/errors.js";
import { HubClient } from "./client.js";
import { checkRoom, onDisk } from "./disk.js";
import {
  normalizeDownload,
  type DownloadConfig,
  type DownloadOptions,
} from "./download-options.js";
import { fetchFile } from "./fetch-file.js";
import { cacheLayout, folderLayout, type Layout } from "./layout.js";
import { fileUrl, listRepository, type HubFile, type Listing } from "./listing.js";
import { Meter } from "./meter.js";
import { bytesLeftBehind, PartialFile } from "./partial-file.js";
import { fitsPattern } from "./patterns.js";
import { checkRepo, quantLabel } from "./reference.js";

/** One file of a download. */
export interface DownloadedFile {
  /** Path in the repository. */
  readonly name: string;
  /** Its path on the disk. */
  readonly path: string;
  /** Its size. */
  readonly bytes: number;
  /** SHA-256 as listed by the Hub; small files have git's hash instead. */
  readonly sha256: string | undefined;
  /** Bytes received over the network in this call; 0 if the file was already present. */
  readonly fetchedBytes: number;
}

/** The result of {@link downloadModel}. */
export interface DownloadResult {
  /** The repository, `owner/name`. */
  readonly repo: string;
  /** The commit that the revision referred to. */
  readonly commit: string;
  /** The folder that contains all files. */
  readonly folder: string;
  /** Sorted by name. */
  readonly files: readonly DownloadedFile[];
  /** The path to pass to `loadModel`: the first GGUF file; undefined if there is none. */
  readonly modelPath: string | undefined;
  /** Bytes received over the network. */
  readonly fetchedBytes: number;
}

/** Selects the files to fetch from a listing. */
export type Select = (listing: Listing) => readonly HubFile[];

function selectByPatterns({ allowPatterns, ignorePatterns }: DownloadConfig): Select {
  return ({ repo, revision, files }) => {
    const allowed = files.filter(
      ({ path }) =>
        allowPatterns.length === 0 || allowPatterns.some((pattern) => fitsPattern(path, pattern)),
    );
    const chosen = allowed.filter(
      ({ path }) => !ignorePatterns.some((pattern) => fitsPattern(path, pattern)),
    );
    if (chosen.length > 0) return chosen;
    const quants = [
      ...new Set(
        files
          .filter(({ path }) => path.endsWith(".gguf"))
          .map(({ path }) => quantLabel(path) || path),
      ),
    ];
    const has =
      files.length === 0
        ? "it is empty"
        : quants.length > 0
          ? `its quants are ${quants.join(", ")}`
          : `it has ${files.length} other files, and no GGUF file`;
    throw new R1Error(
      "FILE_NOT_FOUND",
      `No file of ${repo} at ${revision} fits ${allowPatterns.map((one) => JSON.stringify(one)).join(", ") || "the patterns"}; ${has}.`,
      {
        details: { path: repo, patterns: allowPatterns, available: quants },
      },
    );
  };
}

async function hashOf(
  path: string,
  { hash, bytes }: HubFile,
  signal: AbortSignal,
): Promise<string> {
  const made = createHash(hash.kind === "sha256" ? "sha256" : "sha1");
  if (hash.kind === "git-sha1") made.update(`blob ${bytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal }))
    made.update(chunk as Buffer);
  return made.digest("hex");
}

/**
 * Whether a file is present, complete and correct.
 * @throws {R1Error} `FILE_EXISTS` if another file has its name.
 */
async function isThere(
  layout: Layout,
  file: HubFile,
  config: DownloadConfig,
  signal: AbortSignal,
): Promise<boolean> {
  const target = layout.target(file);
  const facts = await stat(target).catch(() => undefined);
  if (facts === undefined) return false;
  const isRight =
    facts.isFile() &&
    facts.size === file.bytes &&
    (!config.verify || (await hashOf(target, file, signal)) === file.hash.hex);
  if (isRight) return true;
  if (facts.isFile() && (!layout.isShared || config.force)) return false;
  throw new R1Error(
    "FILE_EXISTS",
    `"${target}" already exists, with other content than ${file.path} in the repository. ` +
      "Remove it, choose another folder, or ask to replace it (option `force`).",
    {
      details: { path: target },
    },
  );
}

interface Work {
  readonly client: HubClient;
  readonly config: DownloadConfig;
  readonly listing: Listing;
  readonly layout: Layout;
  readonly meter: Meter;
  readonly stop: (error: unknown) => void;
}

/** Fetches one file. @returns Bytes received over the network. */
async function fetchOne(
  { client, config, listing, layout, meter, stop }: Work,
  file: HubFile,
): Promise<number> {
  const before = meter.fetchedBytes;
  const partial = await PartialFile.open(layout.target(file), file, config.chunkBytes);
  try {
    meter.receivedBytes += partial.bytes;
    const { parallel, chunkBytes } = config;
    await fetchFile({
      client,
      url: fileUrl(client, listing, file),
      file,
      partial,
      parallel,
      chunkBytes,
      onBytes: meter.add,
      stop,
    });
  } catch (error) {
    await (error instanceof R1Error && error.code === "HASH_MISMATCH"
      ? partial.discard()
      : partial.keep());
    throw error;
  }
  await partial.publish();
  return meter.fetchedBytes - before;
}

/**
 * The user did not choose the cache's folder, so an error about it explains how to choose another.
 */
function inCacheWords(error: unknown, { dir, cache }: DownloadConfig): unknown {
  if (dir !== undefined || !isR1Error(error, "FILE_UNWRITABLE", "NO_SPACE")) return error;
  const { code, message, details, cause } = error;
  const hint = `The Hub's cache is "${cache}"; HF_HOME (or the option \`cache\`) names another.`;
  return new R1Error(code, `${message} ${hint}`, { details, cause });
}

async function fetchAll(
  work: Omit<Work, "layout" | "meter">,
  files: readonly HubFile[],
): Promise<DownloadResult> {
  const { client, config, listing, stop } = work;
  const layout =
    config.dir === undefined ? cacheLayout(config.cache, listing) : folderLayout(config.dir);
  const meter = new Meter(
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    files.length,
    config.onProgress,
    stop,
  );
  const wanted: HubFile[] = [];
  let needed = 0;
  for (const file of files) {
    client.signal.throwIfAborted();
    meter.file = file.path;
    meter.report();
    if (await isThere(layout, file, config, client.signal)) {
      await layout.place(file);
      meter.receivedBytes += file.bytes;
      meter.filesDone++;
    } else {
      wanted.push(file);
      needed += file.bytes - (await bytesLeftBehind(layout.target(file), file));
    }
  }
  await checkRoom(layout.root, needed);
  await onDisk(layout.folder, mkdir(layout.folder, { recursive: true }));
  meter.phase = "fetching";
  const fetched = new Map<string, number>();
  for (const file of wanted) {
    client.signal.throwIfAborted();
    meter.file = file.path;
    meter.report(true);
    // Two names may have the same content.
    const isBlobThere =
      !layout.isShared &&
      fetched.size > 0 &&
      (await stat(layout.target(file)).catch(() => undefined))?.size === file.bytes;
    if (isBlobThere) meter.receivedBytes += file.bytes;
    else fetched.set(file.path, await fetchOne({ ...work, layout, meter }, file));
    await layout.place(file);
    meter.filesDone++;
  }
  await layout.finish();
  meter.report(true);
  client.signal.throwIfAborted();
  const done = files.map((file) => ({
    name: file.path,
    path: layout.path(file),
    bytes: file.bytes,
    sha256: file.hash.kind === "sha256" ? file.hash.hex : undefined,
    fetchedBytes: fetched.get(file.path) ?? 0,
  }));
  const { repo, commit } = listing;
  return {
    repo,
    commit,
    folder: layout.folder,
    files: done,
    modelPath: done.find(({ name }) => name.endsWith(".gguf"))?.path,
    fetchedBytes: meter.fetchedBytes,
  };
}

/** @throws {R1Error} `INVALID_ARGUMENT` for a file whose name this machine may not support. */
function refuseOdd(repo: string, files: readonly HubFile[]): void {
  const odd = files.find((file) => file.isOdd === true);
  if (odd === undefined) return;
  const name = JSON.stringify(odd.path.length > 120 ? `${odd.path.slice(0, 120)}…` : odd.path);
  throw new R1Error(
    "INVALID_ARGUMENT",
    `${repo} has a file ${name}, a name that not every file system can hold. ` +
      "Leave it out with `ignorePatterns`, or name the files you want.",
    { details: { path: odd.path } },
  );
}

/** {@link downloadModel} with files selected by a function. */
export async function download(
  repo: string,
  config: DownloadConfig,
  select: Select,
): Promise<DownloadResult> {
  config.signal?.throwIfAborted();
  // The first failure stops all requests.
  const controller = new AbortController();
  const stop = (error: unknown): void => controller.abort(error);
  const onAbort = (): void => stop(config.signal?.reason);
  config.signal?.addEventListener("abort", onAbort, { once: true });
  const { endpoint, token, retries, retryDelayMs, timeoutMs } = config;
  const client = new HubClient({
    endpoint,
    token,
    fetch: config.fetch,
    onRetry: (notice) => {
      try {
        config.onRetry?.(notice);
      } catch (error) {
        stop(error);
      }
    },
    retries,
    retryDelayMs,
    timeoutMs,
    signal: controller.signal,
  });
  try {
    const listing = await listRepository(client, repo, config.revision);
    const files = [...select(listing)].sort((a, b) => (a.path < b.path ? -1 : 1));
    refuseOdd(repo, files);
    return await fetchAll({ client, config, listing, stop }, files);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : inCacheWords(error, config);
  } finally {
    config.signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Downloads files of a repository on the Hub.
 *
 * Each file is fetched by several range requests at once under a temporary name. It gets its own
 * name when its hash matches the one that the Hub lists. An interrupted connection resumes where it
 * stopped; a download that was aborted or killed is resumed by the next one. The revision is
 * resolved to a commit first, so that all files belong to the same state.
 *
 * @param repo - `owner/name`.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `FILE_NOT_FOUND` (repository, revision,
 * or no file matches), `FILE_UNREADABLE` (private or gated), `FILE_UNWRITABLE`, `NETWORK_FAILED`,
 * `HASH_MISMATCH`, `NO_SPACE` (before anything is fetched, if that can be known), `FILE_EXISTS`,
 * `FILE_BUSY`, `IO_FAILED`; the signal's reason.
 * @example
 * ```ts
 * const { modelPath } = await downloadModel("unsloth/DeepSeek-R1-GGUF", { allowPatterns:
 * "*UD-IQ1_S*", dir: "DeepSeek-R1-GGUF" });
 * const model = await loadModel(modelPath);
 * ```
 */
export async function downloadModel(
  repo: string,
  options: DownloadOptions = {},
): Promise<DownloadResult> {
  const name = checkRepo(check.string(repo, "repo"));
  const config = await normalizeDownload(options);
  return download(name, config, selectByPatterns(config));
}
