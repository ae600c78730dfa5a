// Grammar nodes for the multiples of a number within bounds: they read the digits of a multiple one
// by one, and each rule knows the remainder so far. Pure, except that it adds rules.
import { alt, chars, empty, optional, seq, text, type GrammarNode } from "../grammar.js";
import type { Bounds } from "./number.js";
import type { AddRule } from "./object.js";

/** Most rules of one number. */
const MAX_RULES = 4000;
/** Largest step whose remainders get rules; multiples of larger ones are listed. */
const MAX_STEP = 1000;
/** Most multiples that are listed one by one. */
const MAX_LISTED = 500;
/** What a rule counts: as much as so many schemas. */
const RULE_WORK = 3;
/** Digits that a double holds. */
const DIGITS = 15;

/** A number as digits and a power of ten. */
type Decimal = readonly [digits: bigint, power: number];

function decimal(value: number): Decimal {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return tidy(BigInt(whole + fraction), Number(exponent) - fraction.length);
}

/** Without zeros at the end of the digits. */
function tidy(digits: bigint, power: number): Decimal {
  let [left, up] = [digits, power];
  while (left !== 0n && left % 10n === 0n) [left, up] = [left / 10n, up + 1];
  return [left, up];
}

const ten = (power: number): bigint => 10n ** BigInt(power);
const floorDivide = (a: bigint, b: bigint): bigint => a / b - (a % b < 0n ? 1n : 0n);

function divisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisor(b, a % b);
}

function common([x, powerX]: Decimal, [y, powerY]: Decimal): Decimal {
  const power = Math.min(powerX, powerY);
  const [left, right] = [x * ten(powerX - power), y * ten(powerY - power)];
  return tidy((left / divisor(left, right)) * right, power);
}

/**
 * Returns the smallest number that is a multiple of both; undefined if a double cannot represent
 * it.
 */
export function commonMultiple(a: number, b: number): number | undefined {
  const [digits, power] = common(decimal(a), decimal(b));
  const found = Number(`${digits}e${power}`);
  if (!Number.isFinite(found) || found === 0) return undefined;
  const [heldDigits, heldPower] = decimal(found);
  return heldDigits === digits && heldPower === power ? found : undefined;
}

/** How often a unit of 10 ** power fits below a bound (or, for a lower bound, up to it). */
function scaled(bound: number, power: number, isLower: boolean, isExclusive: boolean): bigint {
  const [digits, own] = decimal(bound);
  const [whole, by] = own >= power ? [digits * ten(own - power), 1n] : [digits, ten(power - own)];
  const below = floorDivide(whole, by);
  const isExact = below * by === whole;
  if (isLower) return isExact && !isExclusive ? below : below + 1n;
  return isExact && isExclusive ? below - 1n : below;
}

/**
 * Multiples of `step` of one sign from `from` to `to`, in units of 10 ** power; 0 is among the
 * positive.
 */
interface Run {
  readonly isNegative: boolean;
  readonly step: number;
  readonly power: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** One multiple as it is written. */
function written(units: bigint, power: number): string {
  if (units === 0n) return "0";
  if (power >= 0) return String(units) + "0".repeat(power);
  const digits = String(units).padStart(1 - power, "0");
  return `${digits.slice(0, power)}.${digits.slice(power)}`.replace(/\.?0+$/, "");
}

/**
 * Rules for all runs of one number: what may follow after a remainder, with so many digits left.
 */
class Writer {
  private readonly free = new Map<string, GrammarNode | undefined>();

  constructor(
    private readonly addRule: AddRule,
    private readonly work: (work: number) => void,
  ) {}

  /** The remainder of the digits so far, followed by zeros. */
  private amount({ step }: Run, remainder: number, left: number): number {
    return Number((BigInt(remainder) * ten(left)) % BigInt(step));
  }

  /** Numbers of one length, in digits that include those behind the point. */
  sameLength(run: Run, length: number): GrammarNode | undefined {
    const places = Math.max(0, -run.power);
    const least = length === places + 1 ? 0n : ten(length - 1);
    const most = ten(length) - 1n;
    const from = [run.from, least, 1n].reduce((a, b) => (a > b ? a : b));
    const to = run.to < most ? run.to : most;
    if (from > to) return undefined;
    const pad = (units: bigint): string => String(units).padStart(length, "0");
    return this.digits(run, pad(from), pad(to), length, 0, true, true);
  }

  /**
   * What may follow, with `left` digits to come; `low` and `high` bound them where they still do.
   */
  private digits(
    run: Run,
    low: string,
    high: string,
    left: number,
    remainder: number,
    wasLow: boolean,
    wasHigh: boolean,
  ): GrammarNode | undefined {
    if (left === 0) return remainder === 0 ? empty : undefined;
    // A bound of zeros, or of nines, bounds nothing any more.
    const isLow = wasLow && !/^0*$/.test(low.slice(-left));
    const isHigh = wasHigh && !/^9*$/.test(high.slice(-left));
    // What may follow depends on what the digits so far amount to beside those to come.
    const key = isLow || isHigh ? undefined : `${left}/${this.amount(run, remainder, left)}`;
    if (key !== undefined && this.free.has(key)) return this.free.get(key);
    const at = low.length - left;
    const byRest = new Map<GrammarNode, string[]>();
    const first = isLow ? Number(low.charAt(at)) : 0;
    const last = isHigh ? Number(high.charAt(at)) : 9;
    for (let digit = first; digit <= last; digit++) {
      const rest = this.digits(
        run,
        low,
        high,
        left - 1,
        (remainder * 10 + digit) % run.step,
        isLow && digit === first,
        isHigh && digit === last,
      );
      if (rest !== undefined) byRest.set(rest, [...(byRest.get(rest) ?? []), String(digit)]);
    }
    const ways = [...byRest].map(([rest, members]) => seq(chars(...members), rest));
    let node = ways.length === 0 ? undefined : alt(...ways);
    const places = Math.max(0, -run.power);
    if (node !== undefined && left <= places) {
      // A fraction may end, or be left out, where all that follows could be zeros.
      const isBare = !isLow && this.amount(run, remainder, left) === 0;
      if (left === places) node = seq(text("."), node);
      if (isBare) node = optional(node);
    }
    if (node !== undefined && key !== undefined) {
      this.work(RULE_WORK);
      node = this.addRule(node);
    }
    if (key !== undefined) this.free.set(key, node);
    return node;
  }
}

/**
 * Digits that are written, so many that no bound is missed and no more rules than allowed are made.
 */
function maxDigits(step: number, power: number, from: bigint): number {
  const room = DIGITS - Math.max(0, power);
  const least = Math.max(String(step).length, String(from).length, 1 - power) + 2;
  return Math.min(room, Math.max(least, Math.floor(MAX_RULES / step)));
}

/** The non-negative and the negative multiples within bounds. */
function runs(
  step: number,
  power: number,
  low: bigint | undefined,
  high: bigint | undefined,
): Run[] {
  const made: Run[] = [];
  const add = (isNegative: boolean, from: bigint, to: bigint | undefined): void => {
    const far = ten(maxDigits(step, power, from)) - 1n;
    const last = to === undefined || to > far ? far : to;
    if (from <= last) made.push({ isNegative, step, power, from, to: last });
  };
  add(false, low !== undefined && low > 0n ? low : 0n, high);
  add(true, high !== undefined && high < 0n ? -high : 1n, low === undefined ? undefined : -low);
  return made;
}

/** Why multiples cannot be written. */
export type MultipleProblem = "none" | "too many" | "inexact";

/** Whether a double holds a number and its multiples as they are written: 0.25, but not 0.01. */
function isExact([digits, power]: Decimal): boolean {
  return power >= 0 || digits % 5n ** BigInt(-power) === 0n;
}

/**
 * The multiples of a number within bounds, as JSON writes them: a part of them where they are
 * without end.
 *
 * @param isWhole - Whether only integers count.
 * @param work - Counts work while it is done; what it throws ends it.
 */
export function multipleNode(
  multipleOf: number,
  bounds: Bounds,
  isWhole: boolean,
  addRule: AddRule,
  work: (work: number) => void,
): GrammarNode | MultipleProblem {
  const given = decimal(multipleOf);
  if (!isExact(given)) return "inexact";
  const [digits, power] = isWhole ? common(given, [1n, 0]) : given;
  if (power > 0 && power > DIGITS - 1) return "none";
  const { min, max } = bounds;
  const low = min === undefined ? undefined : scaled(min, power, true, bounds.isMinExclusive);
  const high = max === undefined ? undefined : scaled(max, power, false, bounds.isMaxExclusive);
  const count =
    low === undefined || high === undefined
      ? undefined
      : floorDivide(high, digits) - floorDivide(low - 1n, digits);
  if (count !== undefined && count <= 0n) return "none";
  if (count !== undefined && count <= MAX_LISTED && (low ?? 0n) > -ten(DIGITS)) {
    if ((high ?? 0n) >= ten(DIGITS)) return "none";
    return alt(...listed(digits, power, low as bigint, Number(count)));
  }
  if (digits > MAX_STEP) return "too many";
  const step = Number(digits);
  const writer = new Writer(addRule, work);
  const nodes = runs(step, power, low, high).flatMap((run) => {
    const most = Math.max(String(run.to).length, 1 - power);
    const ways: GrammarNode[] = [];
    for (let length = Math.max(1, 1 - power); length <= most; length++) {
      const node = writer.sameLength(run, length);
      if (node !== undefined) ways.push(seq(node, text("0".repeat(Math.max(0, power)))));
    }
    if (run.from === 0n) ways.push(text("0"));
    return ways.length === 0 ? [] : [seq(text(run.isNegative ? "-" : ""), alt(...ways))];
  });
  return nodes.length === 0 ? "none" : alt(...nodes);
}

function listed(digits: bigint, power: number, low: bigint, count: number): GrammarNode[] {
  const first = -floorDivide(-low, digits) * digits;
  return Array.from({ length: count }, (_, i) => {
    const units = first + BigInt(i) * digits;
    return text(units < 0n ? `-${written(-units, power)}` : written(units, power));
  });
}
