// Keeps responses for the requests that refer to them: bounded in number, bytes and age, and each
// key sees its own alone.
import type { InputItem } from "./items.js";

/** Bounds of a store. */
export interface StoreLimits {
  /** Responses of all keys together. */
  readonly maxResponses: number;
  /** Responses of one key. */
  readonly maxResponsesPerKey: number;
  /** JSON text of what is kept. Unit: bytes, counted as UTF-16 code units. */
  readonly maxBytes: number;
  /** A response older than this is gone. Unit: milliseconds. */
  readonly maxAgeMs: number;
}

/** What is kept of a response. */
export interface StoredResponse {
  /** The object that `GET /v1/responses/{id}` answers. */
  readonly response: Readonly<Record<string, unknown>> & { readonly id: string };
  /** Items of its own input. */
  readonly input: readonly InputItem[];
  /** The whole conversation, its output included, for a request that goes on with it. */
  readonly items: readonly InputItem[];
}

interface Entry extends StoredResponse {
  readonly key: string;
  readonly bytes: number;
  readonly storedAt: number;
  readonly itemIds: readonly string[];
}

const NO_LIMITS: StoreLimits = {
  maxResponses: Infinity,
  maxResponsesPerKey: Infinity,
  maxBytes: Infinity,
  maxAgeMs: Infinity,
};

/** Ids are random, but a client chooses those of its input: each key has names of its own. */
const nameOf = (key: string, id: string): string => `${key}\n${id}`;

/** The responses of one server. The one that was used least recently goes first. */
export class ResponseStore {
  readonly #limits: StoreLimits;
  readonly #now: () => number;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Items by the response that has them. */
  readonly #items = new Map<string, { readonly item: InputItem; readonly owner: string }>();
  readonly #countByKey = new Map<string, number>();
  #bytes = 0;

  constructor(limits: Partial<StoreLimits> = {}, now: () => number = () => performance.now()) {
    this.#limits = { ...NO_LIMITS, ...limits };
    this.#now = now;
  }

  /** Responses that are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** What they take, as the bound counts it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A response of this key; undefined when it is gone or never was. */
  get(key: string, id: string): StoredResponse | undefined {
    const name = nameOf(key, id);
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    if (this.#now() - entry.storedAt > this.#limits.maxAgeMs) {
      this.#remove(name);
      return undefined;
    }
    // To the end: it was used just now.
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  /** An item of a response of this key. */
  item(key: string, id: string): InputItem | undefined {
    const found = this.#items.get(nameOf(key, id));
    if (found === undefined || this.get(key, found.owner) === undefined) return undefined;
    return found.item;
  }

  /** Keeps a response. One that is larger than all room there is is not kept. */
  put(key: string, stored: StoredResponse): void {
    const { id } = stored.response;
    const name = nameOf(key, id);
    this.#remove(name);
    const bytes = JSON.stringify([stored.response, stored.items]).length;
    const { maxBytes, maxResponses, maxResponsesPerKey } = this.#limits;
    if (bytes > maxBytes) return;
    const itemIds: string[] = [];
    for (const item of stored.items) {
      const itemId = item["id"];
      if (typeof itemId !== "string" || itemId === "") continue;
      itemIds.push(itemId);
      this.#items.set(nameOf(key, itemId), { item, owner: id });
    }
    this.#entries.set(name, { ...stored, key, bytes, storedAt: this.#now(), itemIds });
    this.#bytes += bytes;
    this.#countByKey.set(key, (this.#countByKey.get(key) ?? 0) + 1);
    if ((this.#countByKey.get(key) ?? 0) > maxResponsesPerKey) this.#removeOldest(key);
    while (this.#entries.size > maxResponses || this.#bytes > maxBytes) this.#removeOldest();
  }

  /** Forgets a response and its items. @returns Whether it was there. */
  delete(key: string, id: string): boolean {
    const isThere = this.get(key, id) !== undefined;
    this.#remove(nameOf(key, id));
    return isThere;
  }

  #removeOldest(key?: string): void {
    for (const [name, entry] of this.#entries) {
      if (key !== undefined && entry.key !== key) continue;
      this.#remove(name);
      return;
    }
  }

  #remove(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const { key, bytes, itemIds, response } = entry;
    this.#entries.delete(name);
    this.#bytes -= bytes;
    const left = (this.#countByKey.get(key) ?? 1) - 1;
    if (left === 0) this.#countByKey.delete(key);
    else this.#countByKey.set(key, left);
    for (const itemId of itemIds) {
      const itemName = nameOf(key, itemId);
      // A later response of the conversation may have it now.
      if (this.#items.get(itemName)?.owner === response.id) this.#items.delete(itemName);
    }
  }
}
