// Quantises, and tells its parent as soon as a number of tensors are written or being written, then
// stands still: this process is to be killed, while the one that does its work goes on. Main thread
// of a process of its own.
import { quantize } from "../../dist/files.js";

const [input, output, tensors] = process.argv.slice(2);
let begun = 0;
await quantize(input, output, {
  type: "Q4_K_M",
  threads: 1,
  onLog: (line) => {
    if (!/converting to/.test(line) || ++begun !== Number(tensors)) return;
    process.send("now");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120_000);
  },
});
