// Random values that a seed decides: of every kind that JSON has, and of some that break parsers.
import { randomNumbers } from "../../scripts/random.mjs";

/** Values that have broken servers. */
const ODD = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  0.5,
  -0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 63),
  "",
  " ",
  "0",
  "-1",
  "NaN",
  "null",
  "true",
  "\u0000",
  "\ud83d",
  "\ufffe\u202e",
  "<think>",
  "</think>",
  "<｜User｜>",
  "../../etc/passwd",
  "file:///etc/passwd",
  "http://127.0.0.1:1/",
  "{{ ''.__class__ }}",
  '{"a":',
  "root ::= root",
  "root ::= [",
  "__proto__",
  [],
  {},
  [null],
  [[]],
  [{}],
  { type: "text" },
  { type: "object", $ref: "#" },
  { __proto__: null, constructor: 1 },
];

const KEYS = [
  "a",
  "type",
  "text",
  "content",
  "role",
  "name",
  "id",
  "length",
  "toString",
  "then",
  "",
];

/** Choices by a generator of numbers. */
export class Dice {
  constructor(seed) {
    this.next = randomNumbers(seed);
  }

  /** An integer below `n`. */
  below(n) {
    return Math.floor(this.next() * n);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  chance(p) {
    return this.next() < p;
  }

  bytes(most) {
    return Buffer.from(Array.from({ length: this.below(most) }, () => this.below(256)));
  }

  text(most) {
    return String.fromCharCode(
      ...Array.from({ length: this.below(most) }, () => this.below(0xffff)),
    );
  }

  /** Any JSON value. */
  value(depth = 3) {
    const kind = this.below(depth > 0 ? 8 : 6);
    if (kind < 4) return structuredClone(this.pick(ODD));
    if (kind === 4) return this.text(20);
    if (kind === 5) return (this.next() - 0.5) * 10 ** this.below(20);
    const count = this.below(4);
    if (kind === 6) return Array.from({ length: count }, () => this.value(depth - 1));
    return Object.fromEntries(
      Array.from({ length: count }, () => [this.pick(KEYS), this.value(depth - 1)]),
    );
  }

  /** The same value with a random place of it replaced, removed or repeated. */
  mutated(value) {
    if (typeof value !== "object" || value === null || this.chance(0.25)) return this.value();
    if (Array.isArray(value)) {
      if (value.length === 0 || this.chance(0.1)) return [...value, this.value()];
      const at = this.below(value.length);
      if (this.chance(0.1)) return value.filter((_, i) => i !== at);
      if (this.chance(0.05)) return Array.from({ length: 300 }, () => value[at]);
      return value.map((one, i) => (i === at ? this.mutated(one) : one));
    }
    const keys = Object.keys(value);
    if (keys.length === 0 || this.chance(0.1)) return { ...value, [this.pick(KEYS)]: this.value() };
    const key = this.pick(keys);
    if (this.chance(0.1))
      return Object.fromEntries(Object.entries(value).filter(([one]) => one !== key));
    return { ...value, [key]: this.mutated(value[key]) };
  }
}
