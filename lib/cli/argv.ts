// Rewrites llama.cpp's spellings of flags (-ngl, --gpu-layers, --ctx_size, --temp=0.6) to the one
// name that commander knows. Main thread.
import { nearest } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { Flag } from "./flags.js";
import { nameOf } from "./flags.js";

/**
 * Flags of llama.cpp's programs for which specific advice is better than suggesting the nearest
 * name.
 */
const ELSEWHERE: readonly { readonly names: readonly string[]; readonly advice: string }[] = [
  {
    names: ["-mu", "--model-url"],
    advice:
      "Download the file first and give its path with --model, or name it on the Hub with --hf-repo.",
  },
  {
    names: ["-hft", "--hf-token"],
    advice: "Set HF_TOKEN: others on this machine can read a command line.",
  },
  {
    names: ["--context-shift"],
    advice:
      "The context is never shifted here: a reply ends when it is full. Use a " +
      "larger --ctx-size for more room.",
  },
  {
    names: ["-i", "--interactive", "-if", "--interactive-first", "-mli", "--multiline-input"],
    advice: "For a conversation there is `r1-native chat`.",
  },
  {
    names: ["--prompt-cache", "--prompt-cache-all", "--prompt-cache-ro"],
    advice: "Sessions are saved by the library: `session.save(file)`.",
  },
  {
    names: ["-fit", "--fit", "-fitt", "--fit-target", "-fitc", "--fit-ctx"],
    advice:
      "--n-gpu-layers auto, the default, fits layers and experts to the free memory; " +
      "it does not change --ctx-size.",
  },
  {
    names: ["--chat-template", "--chat-template-file", "--chat-template-kwargs"],
    advice:
      "--template file uses the file's own template instead of R1's; other " +
      "templates are not supported.",
  },
  {
    names: ["--reasoning-preserve", "--no-reasoning-preserve", "--reasoning-format"],
    advice:
      "Reasoning is always separated from the answer and, like in R1's " +
      "template, left out of later prompts.",
  },
  {
    names: ["-np", "--parallel"],
    advice: "The program writes one reply at a time; the library's option is `sequences`.",
  },
  {
    names: ["-C", "--cpu-mask", "-Cr", "--cpu-range", "--cpu-strict"],
    advice: "Choose cores with taskset, and their number with --threads.",
  },
  {
    names: ["--draft", "--draft-n", "--draft-max", "--spec-draft-n-max"],
    advice:
      "The number of tokens that the draft model drafts adapts itself; --ngram-draft N " +
      "drafts from the text itself.",
  },
  {
    names: ["--lora", "--lora-scaled", "--control-vector", "--control-vector-scaled"],
    advice: "Adapters are not supported: merge them into the model first.",
  },
  { names: ["-mm", "--mmproj"], advice: "R1 reads text only." },
];

function refuseUnknown(name: string, known: readonly string[]): never {
  const advice = ELSEWHERE.find(({ names }) => names.includes(name))?.advice;
  // A name of one or two letters is near to everything.
  const isLong = name.startsWith("--");
  const near =
    advice === undefined && name.replace(/^-+/, "").length >= 3
      ? nearest(
          name,
          known.filter((each) => each.startsWith("--") || !isLong),
        )
      : undefined;
  const next = advice ?? (near === undefined ? "--help lists the flags." : `Did you mean ${near}?`);
  throw new R1Error("UNKNOWN_OPTION", `There is no flag ${name}. ${next}`, {
    details: { option: name, nearest: near },
  });
}

/**
 * Gives every flag of a command line its full name. Values are never changed, even if they look
 * like flags: in `-p "-c"`, `-c` is a prompt.
 *
 * @throws {R1Error} `UNKNOWN_OPTION` for a flag that is not in the table; the message names the
 * nearest flag or what to do instead.
 */
export function normalizeArgv(argv: readonly string[], flags: readonly Flag[]): string[] {
  const byName = new Map<string, Flag>();
  for (const flag of flags) for (const name of flag.names) byName.set(name, flag);
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") return [...out, ...argv.slice(i)];
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const spelling = equals < 0 ? word : word.slice(0, equals);
    const name = spelling.startsWith("--") ? spelling.replaceAll("_", "-") : spelling;
    const flag = byName.get(name);
    if (flag === undefined) {
      if (/^-./.test(name) && name !== "-h" && name !== "--help")
        refuseUnknown(spelling, [...byName.keys()]);
      out.push(word);
      continue;
    }
    out.push(nameOf(flag) + (equals < 0 ? "" : word.slice(equals)));
    if (equals >= 0) continue;
    if (flag.optionalValues !== undefined) {
      const next = argv[i + 1];
      const isValue = next !== undefined && flag.optionalValues.includes(next);
      out.push(isValue ? next : (flag.optionalValues[0] ?? ""));
      if (isValue) i++;
    } else if (flag.value !== undefined && i + 1 < argv.length) {
      out.push(argv[++i] ?? "");
    }
  }
  return out;
}
