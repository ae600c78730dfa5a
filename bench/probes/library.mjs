// The compiled library that probes measure: dist, or the folder that --dist names. Runs in a
// probe's process.
import { pathToFileURL } from "node:url";

const entry = process.env.R1_BENCH_DIST
  ? pathToFileURL(`${process.env.R1_BENCH_DIST}/index.js`).href
  : "../../dist/index.js";

export const { devices, loadModel } = await import(entry);
