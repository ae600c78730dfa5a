// The flags of `bench` itself, in llama-bench's words where they mean the same. Data only.
import { constant, integer, text } from "./flag-values.js";
import { inGroup, refuseFlag, type Flag, type Row } from "./flags.js";

/** The engine runs at most this many sequences. */
const MOST_STREAMS = 256;

/** A number from 0. */
const count: Flag["parse"] = (values, name, before) => {
  const value = integer(values, name, before) as number;
  return value >= 0 && value <= 1 << 20
    ? value
    : refuseFlag(name, `a whole number from 0 to ${1 << 20}`, values.at(-1));
};

/** Numbers of streams, separated by commas. */
const streams: Flag["parse"] = (values, name) =>
  (values.at(-1) ?? "").split(",").map((part) => {
    const value = /^\d+$/.test(part) ? Number(part) : 0;
    return value >= 1 && value <= MOST_STREAMS
      ? value
      : refuseFlag(name, `whole numbers from 1 to ${MOST_STREAMS}, separated by commas,`, part);
  });

const tests: Row[] = [
  {
    names: ["-p", "--n-prompt"],
    value: "N",
    option: "prompt",
    parse: count,
    doc: "tokens of the prompt of test ppN; 0: no such test (default: 512)",
  },
  {
    names: ["-n", "--n-gen"],
    value: "N",
    option: "generate",
    parse: count,
    doc: "tokens that test tgN generates after an empty prompt; 0: no such test (default: 128)",
  },
  {
    names: ["-npl", "--streams"],
    value: "LIST",
    option: "streams",
    parse: streams,
    doc: "numbers of generations that run at the same time, one test each (default: 4)",
  },
  {
    names: ["-r", "--repetitions"],
    value: "N",
    option: "repetitions",
    parse: (values, name, before) => {
      const value = integer(values, name, before) as number;
      return value >= 1 && value <= 1000
        ? value
        : refuseFlag(name, "a whole number from 1 to 1000", values.at(-1));
    },
    doc: "measurements of each test; one more comes first and does not count (default: 5)",
  },
  {
    names: ["--llama-bench"],
    value: "FILE",
    option: "llamaBenchFile",
    parse: text,
    doc: "compare with the output of llama-bench -o json",
  },
  {
    names: ["--json"],
    option: "json",
    parse: constant(true),
    doc: "report the result as JSON",
  },
  {
    names: ["-v", "--log-verbose", "--verbose"],
    option: "verbose",
    parse: constant(true),
    doc: "llama.cpp's log on standard error",
  },
];

/** Flags of `bench` only. */
export const benchFlags: readonly Flag[] = Object.freeze(inGroup("run", "Tests:", tests));
