// What a trial reports, row by row, and the comparison most trials are made of. Runs in the main
// process.
import { medianOf, ratioOf, takeTurns } from "./pairs.mjs";

export const OURS = "r1-native";

/**
 * @typedef {object} Row
 * @property {string} trial
 * @property {string} model
 * @property {string} subject - whose figure it is.
 * @property {string} metric
 * @property {string} unit
 * @property {number} value - a median, unless the metric says otherwise.
 * @property {number} [ratio] - our figure over this subject's, the median of the ratios pair by
 * pair.
 * @property {{ text: string, pass: boolean }} [bar] - what was to be reached, and whether it was.
 * @property {number[]} [samples]
 * @property {number} [rounds] - how often each subject was measured, in turns.
 * @property {number} [others] - share of the machine that other programs took, the median over the
 * rounds.
 * @property {number} [sequences]
 * @property {string} [note]
 */

/** At least `limit`. */
export const atLeast = (limit) => ({ text: `>= ${limit}`, holds: (value) => value >= limit });
/** At most `limit`. */
export const atMost = (limit) => ({ text: `<= ${limit}`, holds: (value) => value <= limit });

/** The bar of a row: no verdict on a quick run, which is too short for one. */
export function judge(bench, bar, value, what = "") {
  if (bar === undefined || bench.quick) return undefined;
  return { text: `${bar.text}${what}`, pass: bar.holds(value) };
}

/**
 * Rows of one metric over samples that were taken in turns. `bars`: by subject, for our figure over
 * it.
 */
export function rowsOf(bench, { trial, model, samples, others, metrics, sequences, notes = {} }) {
  const rows = [];
  for (const { metric, unit, pick = (sample) => sample, bars = {}, ownBar } of metrics) {
    for (const subject of Object.keys(samples)) {
      const value = medianOf(samples[subject], pick);
      const row = {
        trial,
        model,
        subject,
        metric,
        unit,
        value,
        samples: samples[subject].map(pick),
        rounds: samples[subject].length,
        others,
        sequences,
        note: notes[subject],
      };
      if (subject === OURS) row.bar = judge(bench, ownBar, value);
      else {
        row.ratio = ratioOf(samples[OURS], samples[subject], pick);
        row.bar = judge(bench, bars[subject], row.ratio, " x");
      }
      rows.push(row);
    }
  }
  return rows;
}

/** Takes turns and makes the rows. */
export async function compare(bench, { subjects, rounds = bench.rounds, ...rest }) {
  const { samples, others } = await takeTurns(bench, subjects, rounds);
  return rowsOf(bench, { samples, others, ...rest });
}

/**
 * The same rows by each subject's best round, without a verdict: what other programs and machines
 * beside take away only ever slows a round down.
 */
export function withBest(rows) {
  const best = (row) => Math.max(...row.samples);
  const ours = ({ metric }) => rows.find((row) => row.subject === OURS && row.metric === metric);
  const bestRow = (row) => ({
    ...row,
    metric: `${row.metric}, best round`,
    value: best(row),
    ratio: row.subject === OURS ? undefined : best(ours(row)) / best(row),
    bar: undefined,
  });
  return [...rows, ...rows.map(bestRow)];
}
