// The flags that hold the answer to a form and say how much is thought, in llama.cpp's words; data
// only.
import { R1Error } from "../base/errors.js";
import { inGroup, type Flag, type Row } from "./flags.js";
import { integer, json, jsonFile, readText, text, word } from "./flag-values.js";

/** The form of the answer is one: a second flag that sets it is refused, whatever their order. */
const onlyForm =
  (parse: Flag["parse"]): Flag["parse"] =>
  (values, name, before) => {
    if (before !== undefined)
      throw new R1Error(
        "INVALID_ARGUMENT",
        "The answer has one form: give one of --json-schema, --json-schema-file, --grammar and --grammar-file.",
        { details: { option: name } },
      );
    return parse(values, name, undefined);
  };

/** A token budget; llama.cpp takes -1 as "no limit". */
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
    doc: "JSON Schema that the answer fits; the reasoning stays free",
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
    doc: "grammar (GBNF, with a rule root) that the answer follows",
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
    doc: "on: thinking cannot be skipped; off: no thinking (default: auto, as the file's template)",
  },
  {
    names: ["--reasoning-effort"],
    value: "low|medium|high",
    option: "reasoning",
    field: "effort",
    parse: (values, name) =>
      word({ low: "low", medium: "medium", high: "high", default: undefined })(
        values,
        name,
        undefined,
      ),
    doc: "a budget by name: 1024 tokens, 8192 tokens, no limit",
  },
  {
    names: ["--reasoning-budget"],
    value: "N",
    option: "reasoning",
    field: "maxTokens",
    parse: budget,
    doc: "most tokens of thinking, then the answer follows; -1: no limit, as without it",
  },
  {
    names: ["--reasoning-budget-message"],
    value: "TEXT",
    option: "reasoning",
    field: "closing",
    parse: text,
    doc: "the sentence that ends a thought whose budget is spent",
  },
];

/** Flags of the answer's form and of thinking. */
export const answerFlags: readonly Flag[] = Object.freeze([
  ...inGroup("generate", "Form of the answer:", form),
  ...inGroup("generate", "Thinking:", thinking),
]);
