// Draws the ratios and the throughput over sequences as one SVG, with Observable Plot. Runs in the
// main process.
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const WIDTH = 860;

function draw(document, options) {
  const drawn = Plot.plot({
    document,
    width: WIDTH,
    style: { background: "white", fontFamily: "sans-serif", fontSize: "12px" },
    ...options,
  });
  drawn.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return drawn;
}

function ratios(document, rows) {
  const data = rows
    .filter((row) => row.ratio !== undefined)
    .map((row) => ({
      name: `${row.trial}: ${row.metric} (${row.model}) / ${row.subject}`,
      ratio: row.ratio,
    }));
  if (data.length === 0) return undefined;
  return draw(document, {
    marginLeft: 400,
    marginRight: 60,
    height: 60 + 24 * data.length,
    x: {
      type: "log",
      label: "r1-native / other, medians of pairs",
      grid: true,
      ticks: [0.25, 0.5, 1, 2, 4, 8, 16],
      tickFormat: String,
    },
    y: { label: null, domain: data.map((row) => row.name) },
    marks: [
      Plot.ruleX([1]),
      Plot.ruleY(data, { y: "name", x1: 1, x2: "ratio", stroke: "steelblue", strokeWidth: 6 }),
      Plot.dot(data, { y: "name", x: "ratio", fill: "steelblue", r: 5 }),
      Plot.text(data, {
        y: "name",
        x: "ratio",
        text: (row) => row.ratio.toFixed(2),
        dx: 10,
        textAnchor: "start",
      }),
    ],
  });
}

function throughput(document, rows) {
  const data = rows.filter((row) => row.trial === "decode-many" && row.sequences !== undefined);
  if (data.length === 0) return undefined;
  return draw(document, {
    marginLeft: 60,
    marginRight: 170,
    height: 320,
    x: {
      type: "log",
      base: 2,
      label: "sequences",
      ticks: [...new Set(data.map((row) => row.sequences))],
      tickFormat: String,
    },
    y: { label: "decoded tokens a second, all sequences", grid: true, zero: true },
    color: { scheme: "tableau10" },
    marks: [
      Plot.line(data, { x: "sequences", y: "value", stroke: "subject", marker: true }),
      Plot.text(
        data,
        Plot.selectLast({
          x: "sequences",
          y: "value",
          z: "subject",
          text: "subject",
          textAnchor: "start",
          dx: 8,
        }),
      ),
    ],
  });
}

/** One SVG document, the charts one below the other; undefined when there is nothing to draw. */
export function plot(rows) {
  const { document } = parseHTML("<html><body></body></html>");
  const charts = [throughput(document, rows), ratios(document, rows)].filter(
    (chart) => chart !== undefined,
  );
  if (charts.length === 0) return undefined;
  let y = 0;
  for (const chart of charts) {
    chart.setAttribute("y", String(y));
    y += Number(chart.getAttribute("height")) + 20;
  }
  const inner = charts.map((chart) => chart.outerHTML.replaceAll(" ", " ")).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}">\n${inner}\n</svg>\n`;
}
