// Splits a model and merges the parts again, and tells its parent the most memory it ever had. Main
// thread of a process of its own.
import { mergeGguf, splitGguf } from "../../dist/files.js";

const [input, prefix, maxSize, merged] = process.argv.slice(2);
const { paths, bytes } = await splitGguf(input, prefix, { maxSize: Number(maxSize) });
await mergeGguf(paths[0], merged);
process.send({ paths, bytes, peakBytes: process.resourceUsage().maxRSS * 1024 });
process.disconnect();
