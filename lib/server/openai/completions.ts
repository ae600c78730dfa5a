// POST /completions: raw prompts, each with `n` choices, as one run a prompt.
import type { GenerateOptions, TokenLogprob } from "../../index.js";
import { badRequest } from "../core/api-error.js";
import type { ApiError } from "../core/api-error.js";
import { assertAtMost, assertNotAbove } from "../core/bounds.js";
import type { GenerateCall } from "../core/call.js";
import { openaiError } from "../core/error-form.js";
import { firstOpen, totalUsage } from "../core/events.js";
import type { ChoiceOutcome, FinishEvent, RunEvent } from "../core/events.js";
import { nowSeconds, randomId } from "../core/ids.js";
import type { Exchange } from "../core/protocol.js";
import { COMMENT } from "../core/respond.js";
import type { KeepAlive, StreamEncoder, WholeEncoder } from "../core/respond.js";
import { TaggedText } from "../core/reasoning.js";
import { joinRuns } from "../core/run-group.js";
import { timingsBody } from "../core/timings.js";
import { checkCommon, commonOptions, pingMs } from "./common-fields.js";
import { completionFields } from "./completion-fields.js";
import type { CompletionFields } from "./completion-fields.js";
import { fingerprint } from "./fingerprint.js";
import { endNote, finishReason, usageBody } from "./parts.js";
import { opensThinking, rawText } from "./raw-text.js";
import { openaiWords } from "./words.js";

type Prompt = string | readonly number[];

/** The prompts of a request: a list of numbers is one prompt of ids. */
function promptsOf({ prompt }: CompletionFields): readonly Prompt[] {
  if (typeof prompt === "string") return [prompt];
  return prompt.every((one) => typeof one === "number") ? [prompt] : prompt;
}

function optionsOf(fields: CompletionFields, most: number): GenerateOptions {
  const { logprobs, grammar, json_schema: schema, suffix } = fields;
  if (suffix !== undefined && suffix !== "")
    throw badRequest("`suffix`: this model fills no gaps.", "suffix", "invalid_value");
  const count = typeof logprobs === "number" ? logprobs : 0;
  assertNotAbove(count, most, "logprobs");
  return {
    ...commonOptions(fields, fields.max_tokens ?? fields.n_predict),
    ...(logprobs === undefined || logprobs === false ? {} : { logprobs: count }),
    ...(schema !== undefined ? { response: { schema } } : grammar ? { response: { grammar } } : {}),
  };
}

/** The older form of log probabilities: lists side by side. */
function logprobLists(entries: readonly TokenLogprob[], from: number): unknown {
  let offset = from;
  const offsets = entries.map(({ text }) => {
    const at = offset;
    offset += text.length;
    return at;
  });
  return {
    tokens: entries.map(({ text }) => text),
    token_logprobs: entries.map(({ logprob }) => logprob),
    top_logprobs: entries.map(({ top }) =>
      Object.fromEntries(top.map(({ text, logprob }) => [text, logprob])),
    ),
    text_offset: offsets,
  };
}

/** What both forms of the response need. */
interface Form {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly print: string;
  readonly n: number;
  readonly hasLogprobs: boolean;
  readonly wantsUsage: boolean;
  /** The prompt of a choice. */
  readonly promptOf: (choice: number) => Prompt | undefined;
  readonly isEchoed: boolean;
}

class CompletionStream implements StreamEncoder {
  readonly #form: Form;
  readonly #total: number;
  readonly #texts = new Map<number, TaggedText>();
  readonly #lengths = new Map<number, number>();
  readonly #finishes: FinishEvent[] = [];

  constructor(form: Form, total: number) {
    this.#form = form;
    this.#total = total;
  }

  encode(event: RunEvent): string {
    switch (event.type) {
      case "start": {
        const echo = echoOf(this.#form, event.choice);
        return echo === "" ? "" : this.#chunk(event.choice, echo);
      }
      case "reasoning":
      case "answer": {
        const { choice, logprobs = [] } = event;
        const raw =
          this.#texts.get(choice) ?? new TaggedText(opensThinking(this.#form.promptOf(choice)));
        this.#texts.set(choice, raw);
        const text = raw[event.type](event.text);
        const from = this.#lengths.get(choice) ?? echoOf(this.#form, choice).length;
        this.#lengths.set(choice, from + text.length);
        const lists = this.#form.hasLogprobs ? logprobLists(logprobs, from) : null;
        return this.#chunk(choice, text, lists);
      }
      case "finish":
        return this.#finish(event);
      case "error":
        return `data: ${JSON.stringify(openaiError(event.error))}\n\n`;
      default:
        return "";
    }
  }

  ping(form: KeepAlive["form"]): string {
    return form === "comment" ? COMMENT : this.#chunk(firstOpen(this.#finishes), "");
  }

  #finish(event: FinishEvent): string {
    this.#finishes.push(event);
    const end = { finish_reason: finishReason(event.reason), ...endNote(event.reason) };
    const text = this.#chunk(event.choice, "", null, end, { timings: timingsBody(event) });
    if (this.#finishes.length < this.#total) return text;
    const usage = usageOf(this.#finishes, this.#form.n);
    const last = this.#form.wantsUsage ? this.#frame([], { usage }) : "";
    return `${text}${last}data: [DONE]\n\n`;
  }

  #chunk(
    index: number,
    text: string,
    logprobs: unknown = null,
    end: object = { finish_reason: null },
    more: object = {},
  ): string {
    const usage = this.#form.wantsUsage ? { usage: null } : {};
    return this.#frame([{ index, text, logprobs, ...end }], { ...usage, ...more });
  }

  #frame(choices: readonly unknown[], more: object): string {
    return `data: ${JSON.stringify({ ...head(this.#form), choices, ...more })}\n\n`;
  }
}

function head({ id, created, model, print }: Form): object {
  return { id, object: "text_completion", created, model, system_fingerprint: print };
}

/** The usage of several prompts: each counts once, whatever its choices. */
function usageOf(finishes: readonly FinishEvent[], n: number): unknown {
  const byPrompt = new Map<number, FinishEvent[]>();
  for (const finish of finishes) {
    const prompt = Math.floor(finish.choice / n);
    byPrompt.set(prompt, [...(byPrompt.get(prompt) ?? []), finish]);
  }
  const usages = [...byPrompt.values()].map(totalUsage);
  const sum = (key: keyof (typeof usages)[number]): number =>
    usages.reduce((total, usage) => total + usage[key], 0);
  return usageBody({
    promptTokens: sum("promptTokens"),
    cachedTokens: sum("cachedTokens"),
    completionTokens: sum("completionTokens"),
    reasoningTokens: sum("reasoningTokens"),
  });
}

class CompletionWhole implements WholeEncoder {
  readonly #form: Form;

  constructor(form: Form) {
    this.#form = form;
  }

  body(outcomes: readonly ChoiceOutcome[]): unknown {
    const finishes = outcomes.map(({ finish }) => finish);
    const [first] = finishes;
    return {
      ...head(this.#form),
      choices: outcomes.map((outcome, index) => this.#choice(outcome, index)),
      usage: usageOf(finishes, this.#form.n),
      ...(first === undefined ? {} : { timings: timingsBody(first) }),
    };
  }

  error(error: ApiError): unknown {
    return openaiError(error);
  }

  #choice(outcome: ChoiceOutcome, index: number): unknown {
    const { logprobs, reasoningLogprobs, finish } = outcome;
    const echo = echoOf(this.#form, index);
    return {
      index,
      text: echo + rawText(outcome, opensThinking(this.#form.promptOf(index))),
      logprobs: this.#form.hasLogprobs
        ? logprobLists([...reasoningLogprobs, ...logprobs], echo.length)
        : null,
      finish_reason: finishReason(finish.reason),
      ...endNote(finish.reason),
    };
  }
}

/** What `echo` puts before the text of a choice; ids have no text of their own here. */
function echoOf({ isEchoed, promptOf }: Form, choice: number): string {
  const prompt = isEchoed ? promptOf(choice) : undefined;
  return typeof prompt === "string" ? prompt : "";
}

/** Answers POST /completions. */
export async function complete(exchange: Exchange): Promise<Response> {
  const fields = await exchange.fields(completionFields);
  const { limits } = exchange.core.config;
  checkCommon(fields, limits);
  const prompts = promptsOf(fields);
  assertAtMost(prompts.length, limits.maxPrompts, "prompt");
  const options = optionsOf(fields, limits.maxLogprobs);
  const n = fields.n ?? 1;
  const calls = prompts.map((prompt): GenerateCall => ({
    model: fields.model,
    prompt,
    options,
    n,
    words: { ...openaiWords(), schemaParam: "json_schema" },
    isAuxiliary: exchange.isAuxiliary({
      metadata: fields.metadata,
      model: fields.model,
      isStreamed: fields.stream === true,
      lastUserText: typeof prompt === "string" ? prompt : "",
    }),
    timeoutMs: fields.t_max_predict_ms,
  }));
  const runs = calls.map((call) => exchange.generate(call));
  const run = joinRuns(runs, n);
  const form: Form = {
    id: randomId("cmpl-"),
    created: nowSeconds(),
    model: fields.model ?? exchange.core.models.first.name,
    print: fingerprint(exchange, fields.model),
    n,
    hasLogprobs: fields.logprobs !== undefined && fields.logprobs !== false,
    wantsUsage: fields.stream_options?.include_usage === true,
    promptOf: (choice) => prompts[Math.floor(choice / n)],
    isEchoed: fields.echo === true,
  };
  if (fields.stream !== true) return exchange.respond(run, { whole: new CompletionWhole(form) });
  const stream = new CompletionStream(form, n * prompts.length);
  return exchange.respond(run, { stream }, { pingMs: pingMs(fields) });
}
