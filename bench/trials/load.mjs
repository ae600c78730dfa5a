// Time from the call until a model is ready: context created and warmed up. Each sample in a fresh
// process, with the file in the page cache.
import { atMost, compare } from "../core/rows.mjs";
import { NOTES, openSubject, wanted } from "../core/subjects.mjs";
import { upstreamLoad } from "../drivers/upstream.mjs";

export const title = "from the call to a model that can be asked";

const CONTEXT = 4096;

export async function run(bench) {
  const path = await bench.path(bench.model);
  const fresh = (name) => async () => {
    const subject = await openSubject(bench, name, { path, sequences: 1, contextSize: CONTEXT });
    await subject.close();
    return subject.loadMs;
  };
  const subjects = { "r1-native": fresh("r1-native") };
  if (bench.drivers.includes("upstream"))
    subjects["llama-completion"] = () => upstreamLoad(bench, { path, contextSize: CONTEXT });
  for (const name of wanted(bench, bench.bars ? [] : ["node-llama-cpp", "llama-node"]))
    subjects[name] = fresh(name);
  const bars = { "llama-completion": atMost(1.05) };
  const notes = {
    ...NOTES,
    "llama-completion": "by its log, from the call of its load to the end of its warm-up",
    "node-llama-cpp": "without a warm-up",
  };
  return compare(bench, {
    trial: "load",
    model: bench.model,
    subjects,
    metrics: [{ metric: "load", unit: "ms", bars }],
    notes,
  });
}
