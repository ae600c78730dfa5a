// Draws the lengths of a batch's results as an SVG. Pure; any JavaScript thread.
import type { BatchStats } from "./stats.js";

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 56;
const BOTTOM = 56;
const TOP = 36;
const RIGHT = 16;

/** A rounded number at or above the largest value, to scale an axis by. */
function ceiling(value: number): number {
  const step = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return Math.ceil(Math.max(1, value) / step) * step;
}

const short = (count: number): string =>
  count >= 1e6
    ? `${+(count / 1e6).toFixed(1)}M`
    : count >= 1e4
      ? `${Math.round(count / 1e3)}k`
      : String(count);

const place = (value: number): string => value.toFixed(1);

/**
 * A histogram of lengths: the dark part of a bar are results that ended by themselves, the light
 * part those that a limit or the loop guard ended.
 */
export function lengthPlot({ histogram, records, length }: BatchStats): string {
  const most = ceiling(Math.max(1, ...histogram.map(({ count }) => count)));
  const inner = { width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };
  const step = inner.width / Math.max(1, histogram.length);
  const y = (count: number): number => TOP + inner.height * (1 - count / most);
  const bars = histogram.flatMap(({ from, count, whole }, i) => {
    const x = LEFT + i * step;
    const bar = (low: number, high: number, color: string): string =>
      high <= low
        ? ""
        : `<rect x="${place(x + 1)}" y="${place(y(high))}" width="${place(step - 2)}" height="${place(y(low) - y(high))}" fill="${color}"/>`;
    return [
      bar(0, whole, "#2b6cb0"),
      bar(whole, count, "#f6ad55"),
      `<text x="${place(x)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${short(from)}</text>`,
    ];
  });
  const lines = [0, 0.5, 1].map((share) => {
    const at = place(y(most * share));
    return `<line x1="${LEFT}" y1="${at}" x2="${WIDTH - RIGHT}" y2="${at}" stroke="#ddd"/><text x="${LEFT - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${short(most * share)}</text>`;
  });
  const middle =
    length === undefined
      ? ""
      : `, median ${length.p50}, 90 % up to ${length.p90}, longest ${length.max}`;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="13">${records} results by generated tokens${middle}</text>`,
    ...lines,
    ...bars.filter((bar) => bar !== ""),
    `<text x="${LEFT + inner.width / 2}" y="${HEIGHT - 22}" text-anchor="middle">tokens of a result, from</text>`,
    `<rect x="${LEFT}" y="${HEIGHT - 16}" width="10" height="10" fill="#2b6cb0"/><text x="${LEFT + 14}" y="${HEIGHT - 7}">ended by itself</text>`,
    `<rect x="${LEFT + 120}" y="${HEIGHT - 16}" width="10" height="10" fill="#f6ad55"/><text x="${LEFT + 134}" y="${HEIGHT - 7}">ended by length or loop</text>`,
    "</svg>",
  ].join("\n")}\n`;
}
