// Checks keys: a fixed list and a file that is read again when it changes, compared in constant time.
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { ApiError } from "../core/api-error.js";
import type { ServerLogger } from "../core/log.js";
import type { NamedKey } from "../options.js";

/** How often the file is looked at. Unit: milliseconds. */
const LOOK_MS = 1000;

interface HashedKey {
  readonly name: string;
  readonly hash: Buffer;
}

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

const hashed = ({ name, key }: NamedKey): HashedKey => ({ name, hash: hashOf(key) });

/** Keys of a file's text: `KEY` or `NAME KEY` in a line. */
export function parseKeys(text: string): NamedKey[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line, i) => {
      const [first = "", second] = line.split(/\s+/);
      return second === undefined
        ? { name: `file-key-${i + 1}`, key: first }
        : { name: first.replace(/[^\w.-]/g, "_").slice(0, 64), key: second };
    });
}

/** The key that a request brings. */
function givenKey(headers: Headers): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  return bearer ?? headers.get("x-api-key") ?? undefined;
}

const wrongKey = (isMissing: boolean): ApiError =>
  new ApiError(
    isMissing
      ? "This server needs an API key: send it as `Authorization: Bearer KEY`."
      : "Invalid API Key",
    {
      status: 401,
      type: "authentication_error",
      code: "invalid_api_key",
      headers: { "www-authenticate": "Bearer" },
    },
  );

/** The keys of one app. */
export class KeyRing {
  readonly #fixed: readonly HashedKey[];
  readonly #file: string | undefined;
  readonly #log: ServerLogger;
  #fromFile: readonly HashedKey[] = [];
  #seen = "";
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(fixed: readonly NamedKey[], file: string | undefined, log: ServerLogger) {
    this.#fixed = fixed.map(hashed);
    this.#file = file;
    this.#log = log;
  }

  /** Whether requests need a key. */
  get isOn(): boolean {
    return this.#fixed.length > 0 || this.#file !== undefined;
  }

  /**
   * Name of the key of a request; `anonymous` when none is needed.
   * @throws {ApiError} 401
   */
  async nameFor(headers: Headers): Promise<string> {
    if (!this.isOn) return "anonymous";
    await this.#look();
    const given = givenKey(headers);
    if (given === undefined) throw wrongKey(true);
    const hash = hashOf(given);
    let name: string | undefined;
    // Every key is compared, so that the time says nothing about which one fits.
    for (const one of [...this.#fixed, ...this.#fromFile])
      if (timingSafeEqual(one.hash, hash)) name ??= one.name;
    if (name === undefined) throw wrongKey(false);
    return name;
  }

  async #look(): Promise<void> {
    if (this.#file === undefined || performance.now() - this.#lookedAt < LOOK_MS) return;
    this.#looking ??= this.#read(this.#file).finally(() => {
      this.#lookedAt = performance.now();
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** Reads the file if it has changed. One that cannot be read leaves the keys as they were. */
  async #read(file: string): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(file);
      const seen = `${mtimeMs} ${size} ${ino}`;
      if (seen === this.#seen) return;
      this.#fromFile = parseKeys(await readFile(file, "utf8")).map(hashed);
      this.#seen = seen;
      this.#log.info({ keys: this.#fromFile.length }, "keys read from the key file");
    } catch (error) {
      this.#log.error({ err: error }, "the key file cannot be read; the keys stay as they were");
    }
  }
}
