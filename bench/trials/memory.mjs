// Memory of the process, and bytes of K and V per token, for each cache type; each in a fresh
// process.
import { withProcess } from "../core/subjects.mjs";

export const title = "memory: the process, and a token's K and V by type";

const CONTEXT = 4096;
const MIB = 2 ** 20;

export async function run(bench) {
  const path = await bench.path(bench.model);
  const rows = [];
  for (const type of bench.quick ? ["f16", "q4_0"] : ["f32", "f16", "q8_0", "q5_1", "q4_0"]) {
    bench.progress(`cache type ${type}`);
    const types = { cacheTypeK: type, cacheTypeV: type };
    const found = await withProcess(bench, "probes/memory.mjs", (probe) =>
      probe.call("run", { path, threads: bench.threads, contextSize: CONTEXT, ...types }),
    );
    const common = { trial: "memory", model: bench.model, subject: "r1-native" };
    rows.push(
      {
        ...common,
        metric: `K and V a token, ${type}`,
        unit: "bytes",
        value: found.cacheBytes / found.cells,
      },
      {
        ...common,
        metric: `process, ${CONTEXT} cells of ${type} full`,
        unit: "MiB",
        value: found.full / MIB,
        note: `${Math.round(found.before / MIB)} MiB before loading`,
      },
    );
  }
  return rows;
}
