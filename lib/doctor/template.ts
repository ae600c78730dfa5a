// The doctor's rules about a file's chat template, which it renders, and about which side adds BOS.
import { renderJinja } from "../template/jinja.js";
import { ROLE_TEXTS } from "../template/segment.js";
import { scalarOf, type DoctorFacts } from "./facts.js";
import type { Finding, TemplateForm } from "./types.js";

interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The output of a template. */
export interface TemplateFacts {
  readonly form: TemplateForm;
  /** Number of BOS tokens at the start of the output. */
  readonly bosCount: number;
  /** Why it could not be rendered. */
  readonly failure?: string | undefined;
  /**
   * Whether earlier turns are in R1's format: EOS after the answer, no reasoning. Undefined if that
   * could not be rendered.
   */
  readonly closesTurns?: boolean | undefined;
  readonly keepsReasoning?: boolean | undefined;
  readonly writesSystem?: boolean | undefined;
}

const ASK: readonly Turn[] = [{ role: "user", content: "probe" }];
const HISTORY: readonly Turn[] = [
  { role: "user", content: "first" },
  { role: "assistant", content: "<think>\nhidden\n</think>\n\nanswer" },
  { role: "user", content: "second" },
];
const WITH_SYSTEM: readonly Turn[] = [{ role: "system", content: "directive" }, ...ASK];

function formOf(text: string): TemplateForm {
  const user = text.indexOf(`${ROLE_TEXTS.user}probe`);
  const assistant = user < 0 ? -1 : text.indexOf(ROLE_TEXTS.assistant, user);
  if (assistant < 0) return "other";
  if (text.slice(user, assistant).includes(ROLE_TEXTS.eos)) return "llama.cpp";
  const prompt = text.slice(assistant);
  if (prompt.includes(ROLE_TEXTS.endThink)) return "r1-closed";
  return prompt.includes(ROLE_TEXTS.think) ? "r1-opens-think" : "r1";
}

/** Examines a file's template by rendering three conversations with it. */
export function readTemplate(facts: DoctorFacts): TemplateFacts {
  const source = scalarOf(facts.metadata, "tokenizer.chat_template", "str") as string | undefined;
  if (source === undefined || source === "") return { form: "none", bosCount: 0 };
  const named = (id: number | null, fallback: string): string =>
    (id === null ? undefined : facts.token(id)?.text) ?? fallback;
  const bos = named(facts.ids.bos, ROLE_TEXTS.bos);
  const values = {
    add_generation_prompt: true,
    enable_thinking: true,
    bos_token: bos,
    eos_token: named(facts.ids.eos, ROLE_TEXTS.eos),
  };
  const render = (messages: readonly Turn[]): string =>
    renderJinja(source, { ...values, messages });
  const tried = (messages: readonly Turn[]): string | undefined => {
    try {
      return render(messages);
    } catch {
      // A template may refuse a conversation deliberately; its output for a plain question is known
      // at that point.
      return undefined;
    }
  };
  let text: string;
  try {
    text = render(ASK);
  } catch (error) {
    return { form: "fails", bosCount: 0, failure: (error as Error).message };
  }
  let bosCount = 0;
  for (let rest = text; bos !== "" && rest.startsWith(bos); rest = rest.slice(bos.length))
    bosCount++;
  const form = formOf(text);
  if (form === "other") return { form, bosCount };
  const [history, system] = [tried(HISTORY), tried(WITH_SYSTEM)];
  return {
    form,
    bosCount,
    ...(history === undefined
      ? {}
      : {
          closesTurns: history.includes(`answer${ROLE_TEXTS.eos}`),
          keepsReasoning: history.includes("hidden"),
        }),
    ...(system === undefined ? {} : { writesSystem: system.includes("directive") }),
  };
}

const OWN = "r1-native's own chats use R1's template and are not affected";

const FORMS: Readonly<Record<TemplateForm, Omit<Finding, "changes"> | undefined>> = {
  r1: {
    id: "template-bare",
    severity: "info",
    found: "The chat template is R1's and ends in <｜Assistant｜>.",
    effect: "The model itself decides to think, and now and then skips it.",
    fix: "To make it think in every reply ask with `openThink: true` (r1-native run --open-think on), or with a template whose generation prompt ends in <think> and a line break.",
  },
  "r1-opens-think": {
    id: "template-opens-think",
    severity: "info",
    found: "The chat template is R1's and ends in <｜Assistant｜><think> and a line break.",
    effect:
      "Replies begin inside the reasoning: programs that wait for <think> mistake it for the " +
      "answer. r1-native handles this.",
    fix: "Nothing to do in r1-native. In other programs look only for </think>.",
  },
  "r1-closed": {
    id: "template-closed",
    severity: "warning",
    found: "The chat template is R1's and ends in an empty, closed reasoning block.",
    effect: `Other programs get answers without reasoning from it; ${OWN}.`,
    fix: "Use the release's template, unless that is wanted.",
  },
  "llama.cpp": {
    id: "template-llama-cpp",
    severity: "warning",
    found:
      "The chat template closes user turns with <｜end▁of▁sentence｜>, as llama.cpp's own one for R1 does.",
    effect: `Other programs ask in a form the model was not trained on; ${OWN}.`,
    fix: "Put the release's own tokenizer.chat_template into the file.",
  },
  other: {
    id: "template-not-r1",
    severity: "warning",
    found:
      "The chat template does not write R1's format: one user turn does not come out as <｜User｜>, the text, <｜Assistant｜>.",
    effect: `Other programs ask in a foreign form, whose answers are poor or never end; ${OWN}.`,
    fix: "Put the release's own tokenizer.chat_template into the file.",
  },
  fails: undefined,
  none: {
    id: "template-missing",
    severity: "warning",
    found: "The file has no chat template.",
    effect: `Other programs fall back to a template of their own choice, mostly ChatML, which R1 does not know; ${OWN}.`,
    fix: "Put the release's tokenizer.chat_template into the file, or name R1's template to the program.",
  },
};

function* aboutBos(facts: DoctorFacts, { bosCount, form }: TemplateFacts): Generator<Finding> {
  const key = "tokenizer.ggml.add_bos_token";
  const said = scalarOf(facts.metadata, key, "bool") as boolean | undefined;
  if (bosCount > 1) {
    yield {
      id: "template-double-bos",
      severity: "error",
      found: `The chat template itself begins with ${bosCount} BOS tokens.`,
      effect: `Every program that renders it sends ${bosCount} or more, and the model answers worse; ${OWN}.`,
      fix: "Remove all but one from tokenizer.chat_template.",
      changes: [],
    };
  } else if (bosCount === 1 && said === true) {
    yield {
      id: "double-bos",
      severity: "info",
      found: "The chat template writes BOS, and add_bos_token is true, as in the releases.",
      effect:
        "A program that renders the template and then lets the tokenizer add BOS sends two, and the model answers worse. r1-native sends exactly one.",
      fix: "In such a program cut BOS off the rendered text, or tokenise it without adding BOS.",
      changes: [],
    };
  }
  if (said === true) return;
  // llama.cpp adds BOS for Llama's pre-tokeniser if the file does not specify it.
  if (said === undefined && facts.variant === "distill-llama") return;
  const chat =
    bosCount > 0
      ? "Chats get theirs from the template"
      : form === "none"
        ? "Chats get none either"
        : "The template writes none, so chats get none either";
  yield {
    id: "add-bos",
    severity: "warning",
    found: `add_bos_token is ${said === undefined ? "absent, which counts as false" : "false"}; in the releases it is true.`,
    effect: `Raw prompts get no BOS from llama.cpp, and the model answers worse. ${chat}. r1-native puts exactly one in front all the same.`,
    fix: "Set tokenizer.ggml.add_bos_token to true.",
    changes: [{ key, type: "bool", from: said ?? null, to: true }],
  };
}

/** Findings about the template of a file that is one of the releases. */
export function* templateFindings(facts: DoctorFacts, template: TemplateFacts): Generator<Finding> {
  if (template.form === "fails") {
    yield {
      id: "template-fails",
      severity: "warning",
      found: `The chat template cannot be rendered: ${template.failure ?? "no reason given"}`,
      effect: `Programs that use it fail, or fall back to another one; ${OWN}.`,
      fix: "Put the release's own tokenizer.chat_template into the file.",
      changes: [],
    };
  }
  const form = FORMS[template.form];
  if (form !== undefined) yield { ...form, changes: [] };
  yield* aboutBos(facts, template);
  if (template.keepsReasoning === true || template.closesTurns === false) {
    const faults = [
      ...(template.keepsReasoning === true ? ["keeps the reasoning of earlier turns"] : []),
      ...(template.closesTurns === false
        ? ["does not close assistant turns with <｜end▁of▁sentence｜>"]
        : []),
    ];
    yield {
      id: "template-history",
      severity: "warning",
      found: `The chat template ${faults.join(" and ")}.`,
      effect: `Conversations of several turns are not in the form the model was trained on; ${OWN}.`,
      fix: "Put the release's own tokenizer.chat_template into the file.",
      changes: [],
    };
  }
  if (template.writesSystem === false) {
    yield {
      id: "template-system",
      severity: "warning",
      found: "The chat template leaves system messages out.",
      effect: `System prompts do nothing in other programs; ${OWN}.`,
      fix: "Put the release's own tokenizer.chat_template into the file.",
      changes: [],
    };
  }
}
