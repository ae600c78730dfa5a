// Remembers of every id which samples are done: a hash table of numbers, since a million strings
// would take ten times the memory. Pure; any JavaScript thread.
import { keyOf } from "./identity.js";

const FIRST_CAPACITY = 1024;
/** Filled further than this, a table is doubled. */
const MOST_FILLED = 0.7;

/** Columns of one slot, all Uint32. */
const KEY = 0;
const LINE = 4;
const DONE = 5;
const PASSED = 7;
const WIDTH = 9;

/** What is known of one id. */
export interface LedgerEntry {
  /** Line of its row in the input, plus one; 0: no row was seen. */
  readonly line: number;
  readonly done: number;
  readonly passed: number;
}

function ones(low: number, high: number): number {
  let count = 0;
  for (let word of [low, high]) for (; word !== 0; word &= word - 1) count++;
  return count;
}

/** A key of zeros alone marks a free slot; that a hash is zero does not happen. */
const isFree = (slots: Uint32Array, at: number): boolean =>
  slots[at] === 0 && slots[at + 1] === 0 && slots[at + 2] === 0 && slots[at + 3] === 0;

/** Ids with their samples: 36 bytes a slot, 52 to 103 MB for a million ids. */
export class Ledger {
  #slots = new Uint32Array(FIRST_CAPACITY * WIDTH);
  #capacity = FIRST_CAPACITY;
  #size = 0;

  /** Ids there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Notes the row of an id.
   *
   * @returns The line of an earlier row with this id; undefined if there was none.
   */
  addRow(id: string, line: number): number | undefined {
    const at = this.#place(keyOf(id));
    const before = this.#slots[at + LINE] ?? 0;
    if (before !== 0) return before - 1;
    this.#slots[at + LINE] = line + 1;
    return undefined;
  }

  /** Notes that a sample is done; false if it was before. */
  addSample(id: string, sample: number, passed: boolean): boolean {
    const at = this.#place(keyOf(id));
    const word = sample >>> 5;
    const bit = 1 << (sample & 31);
    const before = this.#slots[at + DONE + word] ?? 0;
    if ((before & bit) !== 0) return false;
    this.#slots[at + DONE + word] = before | bit;
    if (passed) this.#slots[at + PASSED + word] = (this.#slots[at + PASSED + word] ?? 0) | bit;
    return true;
  }

  isDone(id: string, sample: number): boolean {
    const at = this.#find(keyOf(id));
    return at >= 0 && ((this.#slots[at + DONE + (sample >>> 5)] ?? 0) & (1 << (sample & 31))) !== 0;
  }

  /** What is known of an id. */
  entry(id: string): LedgerEntry {
    const at = this.#find(keyOf(id));
    return at < 0 ? { line: 0, done: 0, passed: 0 } : this.#entryAt(at);
  }

  /** Visits every id that has a row; `word` is the part of its key that shards go by. */
  eachRow(visit: (entry: LedgerEntry, word: number) => void): void {
    const slots = this.#slots;
    for (let at = 0; at < slots.length; at += WIDTH)
      if (slots[at + LINE] !== 0) visit(this.#entryAt(at), slots[at + 3] ?? 0);
  }

  #entryAt(at: number): LedgerEntry {
    const word = (column: number): number => this.#slots[at + column] ?? 0;
    return {
      line: word(LINE),
      done: ones(word(DONE), word(DONE + 1)),
      passed: ones(word(PASSED), word(PASSED + 1)),
    };
  }

  /** The slot of a key, or -1. */
  #find(key: readonly number[]): number {
    const at = this.#probe(key);
    return isFree(this.#slots, at) ? -1 : at;
  }

  /** The slot of a key, taken if it has none yet. */
  #place(key: readonly number[]): number {
    let at = this.#probe(key);
    if (!isFree(this.#slots, at)) return at;
    if (this.#size + 1 > this.#capacity * MOST_FILLED) {
      this.#grow();
      at = this.#probe(key);
    }
    this.#size++;
    for (let i = 0; i < 4; i++) this.#slots[at + KEY + i] = key[i] ?? 0;
    return at;
  }

  /** The slot of the key that stands at `from`, or a free one. */
  #probe(key: ArrayLike<number>, from = 0): number {
    const slots = this.#slots;
    const [a = 0, b = 0, c = 0, d = 0] = [key[from], key[from + 1], key[from + 2], key[from + 3]];
    const mask = this.#capacity - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WIDTH;
      if (
        (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) ||
        isFree(slots, at)
      )
        return at;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#capacity *= 2;
    this.#slots = new Uint32Array(this.#capacity * WIDTH);
    for (let from = 0; from < old.length; from += WIDTH) {
      if (isFree(old, from)) continue;
      const at = this.#probe(old, from);
      for (let i = 0; i < WIDTH; i++) this.#slots[at + i] = old[from + i] ?? 0;
    }
  }
}
