// Lists what a repository contains at one commit, through the Hub's own library. Everything in the
// answer is checked.
import { isR1Error, R1Error } from "../base/errors.js";
import type { HubClient } from "./client.js";
import { hubLibrary } from "./settings.js";

/** A file in a repository. */
export interface HubFile {
  /** Path in the repository, with slashes. */
  readonly path: string;
  /** Some systems do not support this file name; the file is listed, but refused if requested. */
  readonly isOdd?: boolean | undefined;
  readonly bytes: number;
  /** The expected hash of the content: SHA-256 for large files, git's SHA-1 for small ones. */
  readonly hash: { readonly kind: "sha256" | "git-sha1"; readonly hex: string };
}

/** A repository at one commit. */
export interface Listing {
  readonly repo: string;
  /** As requested. */
  readonly revision: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly files: readonly HubFile[];
}

/** Maximum number of files in a repository. */
const MAX_FILES = 200_000;

function unexpectedAnswer(client: HubClient, what: string, cause?: unknown): R1Error {
  return new R1Error(
    "NETWORK_FAILED",
    `${client.endpoint} does not answer as a Hub does: ${what}. Check HF_ENDPOINT (or the option \`endpoint\`) and any proxy.`,
    {
      cause,
      details: { path: client.endpoint },
    },
  );
}

/** Whether a path names a file below its target folder, and nothing else. */
export function isSafePath(path: string): boolean {
  if (path.includes("\0")) return false;
  return path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}

/** Characters and names that Windows reserves for itself, and endings that it drops. */
const RESERVED = /[<>:"|?*]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Whether a name has characters or a length that a supported file system may refuse. */
export function isOddPath(path: string, platform: string = process.platform): boolean {
  return (
    path.length > 1000 ||
    (platform === "win32" && path.split("/").some((name) => RESERVED.test(name))) ||
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    /[\\\x01-\x1f\x7f]/.test(path) ||
    path.split("/").some((name) => Buffer.byteLength(name) > 240)
  );
}

function fileOf(
  client: HubClient,
  entry: { path: unknown; size: unknown; oid?: unknown; lfs?: { oid?: unknown; size?: unknown } },
): HubFile {
  const { path, size, oid, lfs } = entry;
  if (typeof path !== "string" || !isSafePath(path))
    throw unexpectedAnswer(
      client,
      `it lists a file ${JSON.stringify(path)?.slice(0, 100) ?? "without a name"}`,
    );
  const odd = isOddPath(path) ? { isOdd: true } : {};
  const bytes = lfs?.size ?? size;
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0)
    throw unexpectedAnswer(client, `it lists "${path}" without a size`);
  if (lfs !== undefined) {
    if (typeof lfs.oid !== "string" || !/^[0-9a-f]{64}$/.test(lfs.oid))
      throw unexpectedAnswer(client, `it lists "${path}" without its SHA-256`);
    return { path, ...odd, bytes: bytes as number, hash: { kind: "sha256", hex: lfs.oid } };
  }
  if (typeof oid !== "string" || !/^[0-9a-f]{40}$/.test(oid))
    throw unexpectedAnswer(client, `it lists "${path}" without a hash`);
  return { path, ...odd, bytes: bytes as number, hash: { kind: "git-sha1", hex: oid } };
}

/**
 * Lists a repository. The revision is resolved to a commit first, so that a moving branch changes
 * nothing.
 *
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `NETWORK_FAILED`; the signal's reason.
 */
export async function listRepository(
  client: HubClient,
  repo: string,
  revision: string,
): Promise<Listing> {
  try {
    const { listFiles, modelInfo } = await hubLibrary();
    const common = { hubUrl: client.endpoint, fetch: client.fetch };
    const { sha: commit } = await modelInfo({
      ...common,
      name: repo,
      revision,
      additionalFields: ["sha"],
    });
    if (typeof commit !== "string" || !/^[0-9a-f]{40}$/.test(commit))
      throw unexpectedAnswer(client, "it names no commit");
    const files = new Map<string, HubFile>();
    for await (const entry of listFiles({
      ...common,
      repo: { type: "model", name: repo },
      revision: commit,
      recursive: true,
    })) {
      if (entry.type === "directory") continue;
      const file = fileOf(client, entry);
      files.set(file.path, file);
      if (files.size > MAX_FILES)
        throw unexpectedAnswer(client, `it lists more than ${MAX_FILES} files`);
    }
    return { repo, revision, commit, files: [...files.values()] };
  } catch (error) {
    client.signal.throwIfAborted();
    if (isR1Error(error)) throw error;
    throw unexpectedAnswer(
      client,
      error instanceof SyntaxError ? "its answer is not JSON" : String(error),
      error,
    );
  }
}

/** Address of a file at a commit. */
export function fileUrl(client: HubClient, listing: Listing, file: HubFile): string {
  return `${client.endpoint}/${listing.repo}/resolve/${listing.commit}/${file.path.split("/").map(encodeURIComponent).join("/")}`;
}
