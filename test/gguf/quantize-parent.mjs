// Quantises, and tells its parent as soon as tensors are being written: this process is then killed. Main thread of a process of its own.
import { quantize } from "../../dist/index.js";

const [input, output] = process.argv.slice(2);
await quantize(input, output, {
  type: "Q4_K_M",
  threads: 1,
  onLog: (line) => {
    if (/converting to/.test(line)) process.send("now");
  },
});
