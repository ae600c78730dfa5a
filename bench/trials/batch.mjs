// A batch of 512 rows (with --bars 128, with --quick 32) over 8 sequences, 32 tokens of prompt and
// 32 to generate each: generated tokens a second, prompts and disk included, against
// llama-batched-bench with its prompts' time counted, and llama-server fed by 8 clients.
import { wordsPrompt } from "../core/prompts.mjs";
import { atLeast, compare } from "../core/rows.mjs";
import { openSubject, wanted, warmUp } from "../core/subjects.mjs";
import { batchedRow } from "../drivers/upstream.mjs";

export const title = "512 rows as a batch, 8 side by side";

const SEQUENCES = 8;
const PROMPT = 32;
const LENGTH = 32;
/** Cells a sequence gets. */
const CELLS = 256;

/** Generated tokens a second over the whole. */
const rate = ({ rows, wallMs }) =>
  (rows.reduce((sum, { tokens }) => sum + tokens, 0) / wallMs) * 1000;

export async function run(bench) {
  const path = await bench.path(bench.model);
  const contextSize = CELLS * SEQUENCES;
  const count = bench.quick ? 32 : bench.bars ? 128 : 512;
  const config = { path, sequences: SEQUENCES, contextSize, kvUnified: false };
  const { kvUnified: unified, ...server } = config;
  const open = {};
  try {
    open["r1-native"] = await openSubject(bench, "r1-batch", config);
    if (wanted(bench, ["llama-server"]).length > 0)
      open["llama-server"] = await openSubject(bench, "llama-server", { ...server, unified });
    let seed = 1;
    const requests = () =>
      Array.from({ length: count }, () => ({
        prompt: wordsPrompt(PROMPT, seed),
        maxTokens: LENGTH,
        seed: seed++,
      }));
    for (const subject of Object.values(open)) await warmUp(subject, 1);
    const subjects = {
      "r1-native": async () => rate(await open["r1-native"].generate(requests())),
    };
    if (open["llama-server"] !== undefined)
      subjects["llama-server"] = async () =>
        rate(
          await open["llama-server"].call("generateBy", {
            clients: SEQUENCES,
            requests: requests(),
          }),
        );
    if (bench.drivers.includes("upstream")) {
      const sizes = { path, sequences: SEQUENCES, prompt: PROMPT, generate: LENGTH, contextSize };
      subjects["batched-bench"] = async () => {
        const { t_pp, t_tg } = await batchedRow(bench, { ...sizes, unified });
        return (SEQUENCES * LENGTH) / (t_pp + t_tg);
      };
    }
    return await compare(bench, {
      rounds: bench.fewRounds(3),
      trial: "batch",
      model: bench.model,
      subjects,
      metrics: [
        {
          metric: `${count} rows, generated tokens over the whole`,
          unit: "tokens/s",
          bars: { "batched-bench": atLeast(0.95), "llama-server": atLeast(1) },
        },
      ],
      sequences: SEQUENCES,
    });
  } finally {
    for (const subject of Object.values(open)) await subject.close();
  }
}
