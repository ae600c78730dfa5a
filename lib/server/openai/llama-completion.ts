// POST /completion: a raw prompt goes on, in llama-server's own form. It lies here because it reads
// the same fields as /completions.
import { z } from "zod";
import type { FinishReason, Usage } from "../../index.js";
import { openaiError } from "../core/error-form.js";
import type { ChoiceOutcome, FinishEvent, ProgressEvent, RunEvent } from "../core/events.js";
import type { Exchange } from "../core/protocol.js";
import { COMMENT } from "../core/respond.js";
import type { KeepAlive, StreamEncoder, WholeEncoder } from "../core/respond.js";
import { TaggedText } from "../core/reasoning.js";
import { timingsBody } from "../core/timings.js";
import { checkCommon, commonFields, commonOptions, pingMs } from "./common-fields.js";
import { opensThinking, rawText } from "./raw-text.js";
import { openaiWords } from "./words.js";

const { n: _n, stream_options: _usage, ...shared } = commonFields;

/** The body of POST /completion. */
export const llamaCompletionFields = z.object({
  prompt: z
    .union([z.string(), z.array(z.int().min(0)).min(1)])
    .describe("A text or token ids; special strings become their tokens"),
  ...shared,
  grammar: z.string().optional().describe("A grammar in GBNF that the text is held to"),
  json_schema: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("A schema that the text is held to"),
});

type Fields = z.output<typeof llamaCompletionFields>;

const STOP_TYPES: Readonly<Partial<Record<FinishReason, string>>> = {
  stop: "eos",
  "stop-string": "word",
  length: "limit",
  timeout: "limit",
  loop: "limit",
};

/** What both forms of the response need. */
interface Form {
  readonly model: string;
  /** The prompt itself opens the thinking. */
  readonly isOpen: boolean;
  /** Most tokens of the reply; undefined: what the context has room for. */
  readonly maxTokens: number | undefined;
  readonly wantsTimings: boolean;
}

/** The last object of a reply. */
function ending(form: Form, content: string, text: string, finish: FinishEvent): object {
  const { reason, usage, stopString } = finish;
  const isCut = reason === "length" && usage.completionTokens < (form.maxTokens ?? Infinity);
  return {
    index: 0,
    content,
    tokens: [],
    id_slot: -1,
    stop: true,
    model: form.model,
    tokens_predicted: usage.completionTokens,
    tokens_evaluated: usage.promptTokens,
    has_new_line: text.includes("\n"),
    truncated: isCut,
    stop_type: STOP_TYPES[reason] ?? "none",
    stopping_word: stopString ?? "",
    tokens_cached: usage.promptTokens + usage.completionTokens,
    timings: timingsBody(finish),
  };
}

class LlamaWhole implements WholeEncoder {
  readonly #form: Form;

  constructor(form: Form) {
    this.#form = form;
  }

  body([outcome]: readonly ChoiceOutcome[]): unknown {
    if (outcome === undefined) throw new TypeError("A run without a choice.");
    const text = rawText(outcome, this.#form.isOpen);
    return ending(this.#form, text, text, outcome.finish);
  }

  readonly error = openaiError;
}

/** Timings while the prompt is computed. */
function progressTimings({ total, cached, processed, timeMs }: ProgressEvent): object {
  const usage: Usage = {
    promptTokens: processed,
    cachedTokens: cached,
    completionTokens: 0,
    reasoningTokens: 0,
  };
  const isBegun = processed > cached && total > 0;
  return timingsBody({ usage, timings: { promptMs: isBegun ? timeMs : 0, decodeMs: 0 } });
}

class LlamaStream implements StreamEncoder {
  readonly #form: Form;
  readonly #tagged: TaggedText;
  #promptTokens = 0;
  #text = "";

  constructor(form: Form) {
    this.#form = form;
    this.#tagged = new TaggedText(form.isOpen);
  }

  encode(event: RunEvent): string {
    switch (event.type) {
      case "start":
        this.#promptTokens = event.promptTokens;
        return "";
      case "progress": {
        const { total, cached, processed, timeMs } = event;
        const progress = { total, cache: cached, processed, time_ms: Math.round(timeMs) };
        const timings = this.#form.wantsTimings ? { timings: progressTimings(event) } : {};
        return this.#part("", { prompt_progress: progress, ...timings });
      }
      case "reasoning":
      case "answer": {
        const text = this.#tagged[event.type](event.text);
        this.#text += text;
        return this.#part(text);
      }
      case "finish":
        return `data: ${JSON.stringify(ending(this.#form, "", this.#text, event))}\n\n`;
      case "error":
        return `data: ${JSON.stringify(openaiError(event.error))}\n\n`;
      default:
        return "";
    }
  }

  ping(form: KeepAlive["form"]): string {
    return form === "comment" ? COMMENT : this.#part("");
  }

  #part(content: string, more: object = {}): string {
    const body = { index: 0, content, tokens: [], stop: false, id_slot: -1 };
    const counts = { tokens_evaluated: this.#promptTokens };
    return `data: ${JSON.stringify({ ...body, ...counts, ...more })}\n\n`;
  }
}

/** Answers POST /completion. */
export async function llamaComplete(exchange: Exchange): Promise<Response> {
  const fields: Fields = await exchange.fields(llamaCompletionFields);
  const { config } = exchange.core;
  checkCommon(fields, config.limits);
  const { prompt, json_schema: schema, grammar } = fields;
  const options = {
    ...commonOptions(fields, fields.n_predict ?? fields.max_tokens),
    ...(schema !== undefined ? { response: { schema } } : grammar ? { response: { grammar } } : {}),
  };
  const isStreamed = fields.stream === true;
  const run = exchange.generate({
    model: fields.model,
    prompt,
    options,
    n: 1,
    words: { ...openaiWords(), schemaParam: "json_schema" },
    isAuxiliary: exchange.isAuxiliary({
      metadata: fields.metadata,
      model: fields.model,
      isStreamed,
      lastUserText: typeof prompt === "string" ? prompt : "",
    }),
    timeoutMs: fields.t_max_predict_ms,
  });
  const form: Form = {
    model: fields.model ?? exchange.core.models.first.name,
    isOpen: opensThinking(prompt),
    maxTokens: options.maxTokens ?? config.defaults.maxTokens,
    wantsTimings: fields.timings_per_token === true,
  };
  return exchange.respond(
    run,
    isStreamed ? { stream: new LlamaStream(form) } : { whole: new LlamaWhole(form) },
    { pingMs: pingMs(fields) },
  );
}
