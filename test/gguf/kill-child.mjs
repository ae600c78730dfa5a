// Merges or splits, and tells the parent once a share of the work is done: the parent then kills
// this process. Main thread of a process of its own.
import { mergeGguf, splitGguf } from "../../dist/files.js";

const [work, input, output, share] = process.argv.slice(2);
let isTold = false;
const onProgress = (progress) => {
  if (isTold || progress < Math.min(0.999, Number(share))) return;
  isTold = true;
  process.send("now");
  // Stands still until the kill comes; above 1 it goes on, and the kill comes while the files get
  // their names, or after.
  if (Number(share) < 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30_000);
};
if (work === "merge") await mergeGguf(input, output, { onProgress });
else await splitGguf(input, output, { maxTensors: 8, onProgress });
