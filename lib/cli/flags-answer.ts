// The flags that set the form of the answer and the amount of reasoning, under llama.cpp's names.
// Data only.
import { R1Error } from "../base/errors.js";
import { inGroup, type Flag, type Row } from "./flags.js";
import { integer, json, jsonFile, readText, text, word } from "./flag-values.js";

/** The answer has one form: refuses a second flag that sets it, in any order. */
const onlyForm =
  (parse: Flag["parse"]): Flag["parse"] =>
  (values, name, before) => {
    if (before !== undefined)
      throw new R1Error(
        "INVALID_ARGUMENT",
        "An answer can have only one form: give one of --json-schema, --json-schema-file, " +
          "--grammar and --grammar-file.",
        { details: { option: name } },
      );
    return parse(values, name, undefined);
  };

/** A token budget; llama.cpp uses -1 for "no limit". */
const budget: Flag["parse"] = (values, name, before) => {
  const count = integer(values, name, before) as number;
  return count === -1 ? undefined : count;
};

const form: Row[] = [
  {
    names: ["-j", "--json-schema"],
    value: "SCHEMA",
    option: "response",
    field: "schema",
    parse: onlyForm(json),
    doc: "JSON Schema of the answer; the reasoning stays free",
  },
  {
    names: ["-jf", "--json-schema-file"],
    value: "FILE",
    option: "response",
    field: "schema",
    parse: onlyForm(jsonFile),
    doc: "read the JSON Schema from a file",
  },
  {
    names: ["--grammar"],
    value: "GRAMMAR",
    option: "response",
    field: "grammar",
    parse: onlyForm(text),
    doc: "grammar of the answer (GBNF, with a rule root)",
  },
  {
    names: ["--grammar-file"],
    value: "FILE",
    option: "response",
    field: "grammar",
    parse: onlyForm((values) => readText(values.at(-1) ?? "")),
    doc: "read the grammar from a file",
  },
];

const thinking: Row[] = [
  {
    names: ["-rea", "--reasoning"],
    value: "on|off|auto",
    option: "reasoning",
    field: "mode",
    parse: word({
      on: "forced",
      off: "off",
      auto: "auto",
      "1": "forced",
      "0": "off",
      true: "forced",
      false: "off",
      enabled: "forced",
      disabled: "off",
    }),
    doc:
      "on: thinking cannot be skipped; off: no thinking (default: " +
      "auto, like the file's template)",
  },
  {
    names: ["--reasoning-effort"],
    value: "low|medium|high",
    option: "reasoning",
    field: "effort",
    parse: word({ low: "low", medium: "medium", high: "high", default: undefined }),
    doc: "a budget by name: 1024 tokens, 8192 tokens, no limit",
  },
  {
    names: ["--reasoning-budget"],
    value: "N",
    option: "reasoning",
    field: "maxTokens",
    parse: budget,
    doc: "maximum tokens of thinking before the answer; -1: no limit (default)",
  },
  {
    names: ["--reasoning-budget-message"],
    value: "TEXT",
    option: "reasoning",
    field: "closing",
    parse: text,
    doc: "the sentence that ends the thinking when its budget is spent",
  },
];

/** Flags for the amount of reasoning. */
export const thinkingFlags: readonly Flag[] = Object.freeze(
  inGroup("generate", "Thinking:", thinking),
);

/** Flags for the form of the answer and for reasoning. */
export const answerFlags: readonly Flag[] = Object.freeze([
  ...inGroup("generate", "Form of the answer:", form),
  ...thinkingFlags,
]);
