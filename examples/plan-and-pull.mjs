// From the name of a model on the Hub to its first answer: what fits where is planned from the
// headers alone, then the files are downloaded (an interrupted download resumes) and loaded by the
// plan.
//
//   node examples/plan-and-pull.mjs [hf:OWNER/NAME:QUANT]
import { loadModel } from "r1-native";
import { downloadReference } from "r1-native/hub";
import { planOffload } from "r1-native/plan";

const DEFAULT = "hf:unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M";
const [reference = DEFAULT] = process.argv.slice(2);
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

const plan = await planOffload(reference, { contextSize: 4096 });
console.log(`${reference}: ${mib(plan.sizeBytes)}, ${plan.layers} layers`);
for (const reason of plan.reasons) console.log(`  ${reason}`);
if (plan.fitsInRam === false) {
  console.log("It does not fit into the memory of this machine.");
  process.exit(1);
}

let shown = -1;
const { modelPath, fetchedBytes } = await downloadReference(reference, {
  onProgress: ({ receivedBytes, totalBytes }) => {
    const tenth = Math.floor((receivedBytes / Math.max(1, totalBytes)) * 10);
    if (tenth > shown) console.log(`  ${tenth * 10} % of ${mib(totalBytes)}`);
    shown = Math.max(shown, tenth);
  },
});
console.log(`${mib(fetchedBytes)} fetched: ${modelPath}`);

const model = await loadModel(modelPath, plan.load);
const { answer } = await model.chat([{ role: "user", content: "What is 1+1?" }]).result();
console.log(answer);
await model.close();
