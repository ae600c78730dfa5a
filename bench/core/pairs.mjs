// Takes samples of several subjects in turns, so that changes of the machine's speed affect all of
// them equally: A B, B A, A B ... Runs in the benchmark's main process.
import { median, pairRatios } from "./stats.mjs";
import { waitForQuiet, watchOthers } from "./quiet.mjs";

/**
 * @param {object} bench - signal, progress, limits.
 * @param {Record<string, () => Promise<number | Record<string, number>>>} subjects - each takes one
 * sample.
 * @param {number} rounds - samples of each.
 * @returns samples by subject, in rounds; a round during which other programs took more than
 * `maxOthers` is repeated, at most as often as there are rounds.
 */
export async function takeTurns(bench, subjects, rounds) {
  const names = Object.keys(subjects);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  const others = [];
  let repeats = 0;
  for (let round = 0; round < rounds;) {
    const taken = {};
    let worst = 0;
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      bench.signal.throwIfAborted();
      await waitForQuiet(bench.maxOthers, bench.patienceMs, bench.signal);
      const share = watchOthers();
      taken[name] = await subjects[name]();
      worst = Math.max(worst, share() || 0);
    }
    if (worst > bench.maxOthers && repeats < rounds) {
      repeats++;
      bench.progress(
        `round ${round + 1} of ${rounds} again: other programs took ${Math.round(worst * 100)} %`,
      );
      continue;
    }
    others.push(worst);
    for (const name of names) samples[name].push(taken[name]);
    round++;
    bench.progress(`round ${round} of ${rounds}`);
  }
  return { samples, others: median(others), repeats };
}

/** The median of `pick(sample)` for a subject. */
export function medianOf(samples, pick = (sample) => sample) {
  return median(samples.map(pick));
}

/** The median of the ratios of two subjects, pair by pair. */
export function ratioOf(ours, theirs, pick = (sample) => sample) {
  return median(pairRatios(ours.map(pick), theirs.map(pick)));
}
