// The compiled library that probes measure: dist, or the folder that --dist names. Runs in a
// probe's process.
import { pathToFileURL } from "node:url";

const folder = process.env.R1_BENCH_DIST
  ? pathToFileURL(process.env.R1_BENCH_DIST).href
  : "../../dist";

export const { devices, loadModel } = await import(`${folder}/index.js`);

/** Another public entry of the same build, such as `batch`. */
export const libraryEntry = (name) => import(`${folder}/${name}.js`);
