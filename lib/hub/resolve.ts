// Resolves a reference such as hf:owner/name:Q4_K_M to a file on this disk, and downloads it if
// needed. Asynchronous.
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { object, string } from "../base/check.js";
import { isR1Error, R1Error } from "../base/errors.js";
import { HubClient } from "./client.js";
import { download, type DownloadResult } from "./download.js";
import { checkRevision, normalizeDownload, type DownloadOptions } from "./download-options.js";
import { cachedCommit, storeFolder } from "./layout.js";
import { fileUrl, listRepository, type HubFile } from "./listing.js";
import {
  checkRepo,
  chooseModel,
  modelsOf,
  parseReference,
  type HubReference,
} from "./reference.js";

/** Returns the model's first file if an earlier download left all of the model in the cache. */
async function findCached(
  reference: HubReference,
  revision: string,
  cache: string,
): Promise<string | undefined> {
  const store = storeFolder(cache, reference.repo);
  const commit = await cachedCommit(store, revision);
  if (commit === undefined) return undefined;
  const folder = join(store, "snapshots", commit);
  const files: HubFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    () => [],
  )) {
    const path = join(entry.parentPath, entry.name);
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isFile() === true)
      files.push({
        path: relative(folder, path).split(sep).join("/"),
        bytes: facts.size,
        hash: { kind: "sha256", hex: "" },
      });
  }
  try {
    const [first] = chooseModel(reference, files).files;
    return first === undefined ? undefined : join(folder, ...first.path.split("/"));
  } catch (error) {
    if (isR1Error(error)) return undefined;
    throw error;
  }
}

/**
 * Downloads all parts of the model that a reference stands for.
 *
 * @throws {R1Error} Like {@link resolveModel}.
 */
export async function downloadReference(
  reference: string,
  options: Omit<DownloadOptions, "allowPatterns" | "ignorePatterns"> = {},
): Promise<DownloadResult> {
  const parsed = parseReference(string(reference, "reference"));
  const config = await normalizeDownload({
    ...object(options, "options"),
    ...(parsed.revision === undefined ? {} : { revision: checkRevision(parsed.revision) }),
  });
  return download(parsed.repo, config, (listing) => chooseModel(parsed, listing.files).files);
}

/**
 * Finds or downloads the model that a reference stands for, and returns the path of its first file.
 * Without a connection (or with `HF_HUB_OFFLINE=1`) it uses what the cache contains.
 *
 * @param reference - `hf:owner/name`, `hf:owner/name:QUANT`, `hf:owner/name@revision:QUANT`,
 * `hf:owner/name/file.gguf`.
 * @throws {R1Error} Like `downloadModel`; `INVALID_ARGUMENT` (not such a reference, or several
 * models match), `FILE_NOT_FOUND` (no such quant), `SHARD_MISSING`.
 */
export async function resolveModel(
  reference: string,
  options: Omit<DownloadOptions, "allowPatterns" | "ignorePatterns" | "revision"> = {},
): Promise<string> {
  const parsed = parseReference(string(reference, "reference"));
  const config = await normalizeDownload({
    ...object(options, "options"),
    ...(parsed.revision === undefined ? {} : { revision: checkRevision(parsed.revision) }),
  });
  const fromCache = (): Promise<string | undefined> =>
    config.dir === undefined
      ? findCached(parsed, config.revision, config.cache)
      : Promise.resolve(undefined);
  if (/^(1|on|true|yes)$/i.test(process.env["HF_HUB_OFFLINE"] ?? "")) {
    const cached = await fromCache();
    if (cached !== undefined) return cached;
    throw new R1Error(
      "FILE_NOT_FOUND",
      `${reference} is not in the cache at ${config.cache}, and HF_HUB_OFFLINE forbids to fetch it. Download it first.`,
      {
        details: { path: reference },
      },
    );
  }
  try {
    const { files } = await download(
      parsed.repo,
      config,
      (listing) => chooseModel(parsed, listing.files).files,
    );
    // Names sort as the parts do.
    const [first] = files;
    if (first === undefined) throw new TypeError("no file was chosen");
    return first.path;
  } catch (error) {
    const cached = isR1Error(error, "NETWORK_FAILED") ? await fromCache() : undefined;
    if (cached === undefined) throw error;
    return cached;
  }
}

/** A model of a repository. */
export interface ListedModel {
  /** Quant as the files' names have it; empty where they have none. */
  readonly quant: string;
  /** Paths in the repository, in the order of the parts. */
  readonly files: readonly string[];
  /** Size of all files together. */
  readonly bytes: number;
}

/**
 * Options of {@link listModels}: the options of a download that control where and how to send
 * requests.
 */
export type ListOptions = Pick<
  DownloadOptions,
  | "revision"
  | "token"
  | "endpoint"
  | "proxy"
  | "fetch"
  | "retries"
  | "retryDelayMs"
  | "timeoutMs"
  | "onRetry"
  | "signal"
>;

/**
 * Lists the models of a repository without downloading anything, smallest first.
 *
 * @param repo - `owner/name`.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `FILE_NOT_FOUND`, `FILE_UNREADABLE`,
 * `NETWORK_FAILED`; the signal's reason.
 */
export async function listModels(repo: string, options: ListOptions = {}): Promise<ListedModel[]> {
  const name = checkRepo(string(repo, "repo"));
  const { signal = new AbortController().signal, ...config } = await normalizeDownload(options);
  const client = new HubClient({ ...config, signal });
  const listing = await listRepository(client, name, config.revision);
  return modelsOf(listing.files)
    .map(({ quant, files }) => ({
      quant,
      files: files.map(({ path }) => path),
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    }))
    .sort((a, b) => a.bytes - b.bytes);
}

/**
 * Returns the address of a referenced model's first file, for reading its header without
 * downloading it.
 *
 * @throws {R1Error} Like {@link resolveModel}.
 */
export async function locateModel(
  reference: string,
  options: Pick<DownloadOptions, "fetch" | "signal" | "onRetry"> = {},
): Promise<{ url: string; headers: Record<string, string> }> {
  const { fetch, signal, onRetry } = options;
  const parsed = parseReference(reference);
  const config = await normalizeDownload({
    ...(fetch === undefined ? {} : { fetch }),
    ...(onRetry === undefined ? {} : { onRetry }),
    ...(parsed.revision === undefined ? {} : { revision: checkRevision(parsed.revision) }),
  });
  const client = new HubClient({ ...config, signal: signal ?? new AbortController().signal });
  const listing = await listRepository(client, parsed.repo, config.revision);
  const [first] = chooseModel(parsed, listing.files).files;
  if (first === undefined) throw new TypeError("no file was chosen");
  return {
    url: fileUrl(client, listing, first),
    headers: config.token === undefined ? {} : { authorization: `Bearer ${config.token}` },
  };
}
