// From a reference such as hf:owner/name:Q4_K_M to a file on this disk, downloaded if need be. Runs on the calling JavaScript thread; all waits are asynchronous.
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { isR1Error, R1Error } from "../base/errors.js";
import { HubClient } from "./client.js";
import { download, type DownloadResult } from "./download.js";
import { checkRevision, normalizeDownload, type DownloadOptions } from "./download-options.js";
import { cachedCommit, storeFolder } from "./layout.js";
import { fileUrl, listRepository, type HubFile } from "./listing.js";
import { chooseModel, parseReference, type HubReference } from "./reference.js";

/** The model's first file, where an earlier download has left all of it in the cache. */
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
 * Downloads all parts of the model that a reference means.
 *
 * @throws {R1Error} As {@link resolveModel}.
 */
export async function downloadReference(
  reference: string,
  options: Omit<DownloadOptions, "allowPatterns" | "ignorePatterns"> = {},
): Promise<DownloadResult> {
  const parsed = parseReference(reference);
  const config = await normalizeDownload({
    ...options,
    ...(parsed.revision === undefined ? {} : { revision: checkRevision(parsed.revision) }),
  });
  return download(parsed.repo, config, (listing) => chooseModel(parsed, listing.files).files);
}

/**
 * Finds or downloads the model that a reference means, and tells the path of its first file.
 * Without a connection (or with `HF_HUB_OFFLINE=1`) what the cache holds is taken.
 *
 * @param reference - `hf:owner/name`, `hf:owner/name:QUANT`, `hf:owner/name@revision:QUANT`, `hf:owner/name/file.gguf`.
 * @throws {R1Error} As `downloadModel`; `INVALID_ARGUMENT` (no such form, or several models fit), `FILE_NOT_FOUND` (no such quant), `SHARD_MISSING`.
 */
export async function resolveModel(
  reference: string,
  options: Omit<DownloadOptions, "allowPatterns" | "ignorePatterns" | "revision"> = {},
): Promise<string> {
  const parsed = parseReference(reference);
  const config = await normalizeDownload({
    ...options,
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

/**
 * Address of a referenced model's first file, for reading its header without downloading it.
 *
 * @throws {R1Error} As {@link resolveModel}.
 */
export async function locateModel(
  reference: string,
  options: Pick<DownloadOptions, "fetch" | "signal"> = {},
): Promise<{ url: string; headers: Record<string, string> }> {
  const { fetch, signal } = options;
  const parsed = parseReference(reference);
  const config = await normalizeDownload({
    ...(fetch === undefined ? {} : { fetch }),
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
