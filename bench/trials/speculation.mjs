// N-gram speculation on text that repeats itself, where drafts are accepted, and on free text,
// where they only cost time. With and without it in turns; the ids must be equal.
import { medianOf, ratioOf, takeTurns } from "../core/pairs.mjs";
import { wordsPrompt } from "../core/prompts.mjs";
import { atLeast, judge } from "../core/rows.mjs";
import { withProcess } from "../core/subjects.mjs";

export const title = "n-gram speculation on copied and on free text";

/**
 * The most there may be, with the token before them 64 rows. Less is guessed where that does not
 * pay.
 */
const NGRAM = 63;
const TOKENS = { whole: 192, bars: 128 };

/**
 * Random weights copy nothing by themselves, but greedy decoding of them falls into a cycle after a
 * while: the prompt here is such a reply, and what follows goes on copying. Free text is drawn from
 * the 40 most likely tokens nearly at even odds, so that no guess can be right but by chance.
 */
const TEXTS = [
  { name: "text that repeats itself", sampling: { temperature: 0 }, bar: atLeast(1.5) },
  {
    name: "free text",
    sampling: { temperature: 4, topK: 40, topP: 1, minP: 0 },
    bar: atLeast(0.97),
  },
];

export async function run(bench) {
  const path = await bench.path(bench.model);
  return withProcess(bench, "probes/speculation.mjs", async (probe) => {
    await probe.call("open", { path, threads: bench.threads });
    const rows = [];
    for (const { name, sampling, bar } of TEXTS) {
      const { tokens: prompt } = await probe.call("run", {
        prompt: wordsPrompt(24, 3),
        maxTokens: 400,
        ngram: 0,
        sampling,
      });
      const maxTokens = bench.bars ? TOKENS.bars : TOKENS.whole;
      const sample = (ngram) => () => probe.call("run", { prompt, maxTokens, ngram, sampling });
      const { samples, others } = await takeTurns(
        bench,
        { with: sample(NGRAM), without: sample(0) },
        bench.fewRounds(3),
      );
      const ratio = ratioOf(samples.with, samples.without, ({ rate }) => rate);
      const [{ drafted, accepted, tokens }] = samples.with;
      // Only greedy choices are promised to be the same; a batch of another shape may round last
      // bits, and those a draw.
      const ids =
        sampling.temperature > 0
          ? ""
          : `; ids ${tokens.join() === samples.without[0].tokens.join() ? "equal" : "DIFFER"}`;
      const common = {
        trial: "speculation",
        model: bench.model,
        unit: "tokens/s",
        metric: name,
        others,
        rounds: samples.with.length,
      };
      const note = `${ratio.toFixed(3)} x; ${accepted} of ${drafted} drafted tokens accepted${ids}`;
      const value = medianOf(samples.with, ({ rate }) => rate);
      rows.push({
        ...common,
        subject: "r1-native",
        value,
        bar: judge(bench, bar, ratio, " x"),
        note,
      });
      rows.push({
        ...common,
        subject: "r1-native without it",
        value: medianOf(samples.without, ({ rate }) => rate),
      });
    }
    await probe.call("close");
    return rows;
  });
}
