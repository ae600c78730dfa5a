// The flags of `batch` itself: what each row asks, when the run ends and what is written. Data
// only.
import { inGroup, refuseFlag, type Flag, type Row } from "./flags.js";
import { constant, integer, list, seconds, text, word } from "./flag-values.js";

const MAP_KEYS = ["prompt", "messages", "id", "system"];

/** `COLUMN`, or `prompt=COLUMN,id=COLUMN`; the flag may be repeated. */
const map: Flag["parse"] = (values, name) => {
  const made: Record<string, string> = {};
  for (const part of values.flatMap((value) => value.split(","))) {
    const at = part.indexOf("=");
    const key = at < 0 ? "prompt" : part.slice(0, at);
    if (!MAP_KEYS.includes(key))
      refuseFlag(name, `COLUMN or one of ${MAP_KEYS.join("=, ")}= before a column`, part);
    made[key] = part.slice(at + 1);
  }
  return made;
};

const rows: Row[] = [
  {
    names: ["--map"],
    value: "COLUMN",
    option: "map",
    parse: map,
    doc: "the column with the question, or prompt=COLUMN,id=COLUMN,system=COLUMN; all columns are copied to the output",
  },
  {
    names: ["-no-cnv", "--no-conversation", "--raw"],
    option: "raw",
    parse: constant(true),
    doc: "prompts are raw: they contain the template's own tokens, such as <｜User｜>",
  },
  {
    names: ["--samples"],
    value: "N",
    option: "samples",
    parse: integer,
    doc: "results for each row, each with its own seed (default: 1)",
  },
  {
    names: ["--shard"],
    value: "I/N",
    option: "shard",
    parse: text,
    doc: "run only the I-th of N shares of the rows, chosen by a hash of their ids",
  },
  {
    names: ["-np", "--parallel", "--sequences"],
    value: "N",
    option: "sequences",
    parse: integer,
    doc: "rows that run at the same time; they share --ctx-size (default: 4)",
  },
];

const failures: Row[] = [
  {
    names: ["--retry"],
    value: "length,loop",
    option: "retry",
    parse: list,
    doc: "finish reasons that are retried with another seed (default: none)",
  },
  {
    names: ["--max-attempts"],
    value: "N",
    option: "maxAttempts",
    parse: integer,
    doc: "maximum attempts at one sample (default: 3)",
  },
  {
    names: ["--retry-errors"],
    option: "retryErrors",
    parse: constant(true),
    doc: "retry rows that failed in an earlier run",
  },
];

const selection: Row[] = [
  {
    names: ["--verify"],
    value: "FILE",
    option: "verify",
    parse: text,
    doc: "a module whose default export checks (row, result) and returns whether it is right",
  },
  {
    names: ["--verify-timeout"],
    value: "MS",
    option: "verifyTimeoutMs",
    parse: integer,
    doc: "time limit of one call of it (default: 10000)",
  },
  {
    names: ["--until-verified"],
    value: "K",
    option: "untilVerified",
    parse: integer,
    doc: "sample each row until K results pass",
  },
  {
    names: ["--max-samples"],
    value: "N",
    option: "maxSamples",
    parse: integer,
    doc: "maximum samples of a row with --until-verified (default: 16)",
  },
];

const output: Row[] = [
  {
    names: ["--format"],
    value: "r1|openai",
    option: "format",
    parse: word({ r1: "r1", openai: "openai" }),
    doc: "records, or OpenAI's batch output lines (default: r1)",
  },
  {
    names: ["--allow-change"],
    option: "allowChange",
    parse: constant(true),
    doc: "continue an output that was made with another model or other options",
  },
  {
    names: ["--repair"],
    option: "repair",
    parse: constant(true),
    doc: "move broken lines of the output to a separate file, and compute their rows again",
  },
  {
    names: ["--drain"],
    value: "SECONDS",
    option: "drainMs",
    parse: seconds,
    doc: "how long running rows may continue after Ctrl-C (default: 0, they are cancelled)",
  },
  {
    names: ["--json-progress"],
    option: "jsonProgress",
    parse: constant(true),
    doc: "progress as JSON on standard error, one object per line",
  },
  {
    names: ["-v", "--log-verbose", "--verbose"],
    option: "verbose",
    parse: constant(true),
    doc: "llama.cpp's log on standard error",
  },
];

/** Flags of `batch` only. */
export const batchFlags: readonly Flag[] = Object.freeze([
  ...inGroup("run", "Rows:", rows),
  ...inGroup("run", "Failures:", failures),
  ...inGroup("run", "Selection:", selection),
  ...inGroup("run", "Output:", output),
]);
