// The options of downloadModel: validated and completed.
import { resolve } from "node:path";
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { DownloadProgress } from "./meter.js";
import { proxyFetch } from "./proxy.js";
import type { RetryNotice } from "./retry.js";
import { cacheFolder, endpointOf, expandPlace, isToken, tokenOf } from "./settings.js";

/**
 * Options of {@link downloadModel}. An unknown name is refused with UNKNOWN_OPTION and the nearest
 * valid one.
 */
export interface DownloadOptions {
  /**
   * Files to download: shell patterns over the paths in the repository, such as `*UD-IQ1_S*`.
   * @defaultValue all files
   */
  readonly allowPatterns?: string | readonly string[] | undefined;
  /** Files to skip. @defaultValue none */
  readonly ignorePatterns?: string | readonly string[] | undefined;
  /** Branch, tag or commit. @defaultValue `"main"` */
  readonly revision?: string | undefined;
  /**
   * Access token for a private or gated repository; sent only to the endpoint. `false`: none.
   * @defaultValue `HF_TOKEN`, or the token stored by the Hub's own login
   */
  readonly token?: string | false | undefined;
  /**
   * A plain folder for the files, under their paths in the repository. Cannot be combined with
   * `cache`.
   * @defaultValue none: the cache
   */
  readonly dir?: string | undefined;
  /**
   * A cache in the Hub's own layout, shared with other tools.
   * @defaultValue `HF_HUB_CACHE`, or `hub` in `HF_HOME`
   */
  readonly cache?: string | undefined;
  /** In a plain folder, replaces files with the same name and other content. @defaultValue false */
  readonly force?: boolean | undefined;
  /**
   * Also hashes files that are already present.
   * @defaultValue true in a plain folder, false in the cache, whose files were hashed before they
   * got their names
   */
  readonly verify?: boolean | undefined;
  /** Requests at the same time. Range: 1 .. 32. @defaultValue 4 */
  readonly parallel?: number | undefined;
  /**
   * Maximum bytes of one request, and about the maximum that is fetched again after the process was
   * killed. Range: 65,536 .. 2^30. Unit: bytes.
   * @defaultValue 67108864
   */
  readonly chunkBytes?: number | undefined;
  /**
   * Number of consecutive failures, without a byte between them, after which the download fails.
   * Range: 0 .. 100.
   * @defaultValue 6
   */
  readonly retries?: number | undefined;
  /**
   * Delay after the first failure; it doubles with each further one, up to 30 seconds. Range: 1 ..
   * 30,000. Unit: milliseconds.
   * @defaultValue 500
   */
  readonly retryDelayMs?: number | undefined;
  /**
   * Time without data after which a request counts as failed. Range: 100 .. 600,000. Unit:
   * milliseconds.
   * @defaultValue 30000
   */
  readonly timeoutMs?: number | undefined;
  /** Address of the Hub. @defaultValue `HF_ENDPOINT`, or the public Hub */
  readonly endpoint?: string | undefined;
  /**
   * Address of an HTTP proxy, such as `http://user:password@proxy:8080`. `false`: none.
   * @defaultValue `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, but for the hosts of `NO_PROXY`
   */
  readonly proxy?: string | false | undefined;
  /** Replaces the platform's `fetch`; `proxy` and the environment's proxies have no effect then. */
  readonly fetch?: typeof fetch | undefined;
  /** Called before each retry, for example to show the user why nothing happens. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
  /** Called at most ten times per second, and at the end. What it throws ends the download. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /**
   * Ends the download, which rejects with `signal.reason`; the data received is kept for the next
   * download.
   */
  readonly signal?: AbortSignal | undefined;
}

/** {@link DownloadOptions}, complete. */
export interface DownloadConfig {
  readonly allowPatterns: readonly string[];
  readonly ignorePatterns: readonly string[];
  readonly revision: string;
  readonly token: string | undefined;
  readonly dir: string | undefined;
  readonly cache: string;
  readonly force: boolean;
  readonly verify: boolean;
  readonly parallel: number;
  readonly chunkBytes: number;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly timeoutMs: number;
  readonly endpoint: string;
  readonly fetch: typeof fetch;
  readonly onRetry: ((notice: RetryNotice) => void) | undefined;
  readonly onProgress: ((progress: DownloadProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

const KEYS = Object.keys({
  allowPatterns: 0,
  ignorePatterns: 0,
  revision: 0,
  token: 0,
  dir: 0,
  cache: 0,
  force: 0,
  verify: 0,
  parallel: 0,
  chunkBytes: 0,
  retries: 0,
  retryDelayMs: 0,
  timeoutMs: 0,
  endpoint: 0,
  proxy: 0,
  fetch: 0,
  onRetry: 0,
  onProgress: 0,
  signal: 0,
} satisfies Record<keyof DownloadOptions, 0>);

/** Maximum pattern length: nobody needs longer ones, and matching takes time by length. */
const MAX_PATTERN = 1000;

function patterns(value: unknown, option: string): readonly string[] {
  if (value === undefined) return [];
  const list =
    typeof value === "string"
      ? [check.string(value, option)]
      : check.array(value, option, (each, path) => check.string(each, path));
  for (const one of list)
    if (one.length > MAX_PATTERN)
      check.refuse(option, `patterns of at most ${MAX_PATTERN} characters`, one);
  return Object.freeze(list);
}

/** Checks a branch, tag or commit by git's rules: it becomes part of an address and of a path. */
export function checkRevision(value: unknown): string {
  const revision = check.string(value, "revision");
  const isName = /^[\w.@+/-]+$/.test(revision) && revision.length <= 250;
  if (
    !isName ||
    revision
      .split("/")
      .some((part) => part === "" || part.startsWith(".") || part.endsWith(".lock")) ||
    revision.includes("..")
  ) {
    check.refuse("revision", "the name of a branch, tag or commit", revision);
  }
  return revision;
}

function proxyOption(value: unknown): string | false | undefined {
  return value === undefined || value === false ? value : check.string(value, "proxy");
}

/**
 * Validates and completes options.
 *
 * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`.
 */
export async function normalizeDownload(given: DownloadOptions): Promise<DownloadConfig> {
  const options = check.object(given, "options");
  check.knownKeys(options, "downloadModel", KEYS);
  if (given.dir !== undefined && given.cache !== undefined) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`dir` and `cache` exclude each other: give the one in whose layout the files shall be.",
      {
        details: { option: "dir" },
      },
    );
  }
  const optional = <T>(value: unknown, fallback: T, read: (value: unknown) => T): T =>
    value === undefined ? fallback : read(value);
  const { token } = given;
  if (token !== undefined && token !== false && !isToken(check.string(token, "token"))) {
    // The message must not contain the value.
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`token` holds characters that no token has. Give it without quotes, spaces or line breaks.",
      {
        details: { option: "token" },
      },
    );
  }
  return Object.freeze({
    allowPatterns: patterns(given.allowPatterns, "allowPatterns"),
    ignorePatterns: patterns(given.ignorePatterns, "ignorePatterns"),
    revision: optional(given.revision, "main", checkRevision),
    dir:
      given.dir === undefined
        ? undefined
        : resolve(expandPlace(check.string(given.dir, "dir"), {})),
    cache: resolve(
      given.cache === undefined
        ? cacheFolder()
        : expandPlace(check.string(given.cache, "cache"), {}),
    ),
    force: optional(given.force, false, (value) => check.boolean(value, "force")),
    verify: optional(given.verify, given.dir !== undefined, (value) =>
      check.boolean(value, "verify"),
    ),
    parallel: optional(given.parallel, 4, (value) => check.integer(value, "parallel", 1, 32)),
    chunkBytes: optional(given.chunkBytes, 64 * 2 ** 20, (value) =>
      check.integer(value, "chunkBytes", 65_536, 2 ** 30),
    ),
    retries: optional(given.retries, 6, (value) => check.integer(value, "retries", 0, 100)),
    retryDelayMs: optional(given.retryDelayMs, 500, (value) =>
      check.integer(value, "retryDelayMs", 1, 30_000),
    ),
    timeoutMs: optional(given.timeoutMs, 30_000, (value) =>
      check.integer(value, "timeoutMs", 100, 600_000),
    ),
    endpoint: await endpointOf(
      given.endpoint === undefined ? undefined : check.string(given.endpoint, "endpoint"),
    ),
    fetch:
      given.fetch === undefined
        ? await proxyFetch(proxyOption(given.proxy))
        : check.callback<typeof fetch>(given.fetch, "fetch"),
    onRetry:
      given.onRetry === undefined
        ? undefined
        : check.callback<(notice: RetryNotice) => void>(given.onRetry, "onRetry"),
    onProgress:
      given.onProgress === undefined
        ? undefined
        : check.callback<(progress: DownloadProgress) => void>(given.onProgress, "onProgress"),
    signal: given.signal === undefined ? undefined : check.signal(given.signal, "signal"),
    token: await tokenOf(token),
  });
}
