// Medians, percentiles and seeded random numbers for the benchmark. Pure functions.
export { randomNumbers as random } from "../../scripts/random.mjs";

/** The middle value; of an even count the mean of the two in the middle. NaN of an empty list. */
export function median(values) {
  return percentile(values, 50);
}

/** Linear between the neighbouring values. NaN of an empty list. */
export function percentile(values, percent) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const low = Math.floor(place);
  return sorted[low] + (sorted[Math.ceil(place)] - sorted[low]) * (place - low);
}

/** Ratios of two equally long series, pair by pair. */
export function pairRatios(ours, theirs) {
  return ours.map((value, i) => value / theirs[i]);
}

/** A whole number in [low, high]. */
export function between(next, low, high) {
  return low + Math.floor(next() * (high - low + 1));
}

/**
 * Waiting time until the next arrival of a Poisson process with `rate` arrivals a second, in
 * milliseconds.
 */
export function poissonGap(next, rate) {
  return (-Math.log(1 - next()) / rate) * 1000;
}
