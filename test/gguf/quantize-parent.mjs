// Quantises, and tells its parent as soon as a number of tensors are written or being written: this process is then killed. Main thread of a process of its own.
import { quantize } from "../../dist/index.js";

const [input, output, tensors] = process.argv.slice(2);
let begun = 0;
await quantize(input, output, {
  type: "Q4_K_M",
  threads: 1,
  onLog: (line) => {
    if (/converting to/.test(line) && ++begun === Number(tensors)) process.send("now");
  },
});
