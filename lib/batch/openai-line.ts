// Writes a record as a line of OpenAI's batch output. Pure; any JavaScript thread.
import { randomUUID } from "node:crypto";
import type { BatchRecord, Origin } from "./record.js";
import type { RowAsk } from "./row.js";

type Finish = "stop" | "length" | "tool_calls";

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

interface Token {
  token: string;
  logprob: number;
  bytes: number[];
}

/** A chat completion as OpenAI's API returns one, with the reasoning beside the answer. */
export interface OpenAIChatBody {
  id: string;
  object: "chat.completion";
  created: number;
  model: string;
  choices: {
    /** The number of the sample. */
    index: number;
    message: {
      role: "assistant";
      content: string | null;
      refusal: null;
      reasoning_content: string;
      tool_calls?: {
        id: string;
        type: "function";
        function: { name: string; arguments: string };
      }[];
    };
    logprobs: { content: (Token & { top_logprobs: Token[] })[]; refusal: null } | null;
    finish_reason: Finish;
  }[];
  usage: Usage;
  system_fingerprint: string;
  r1_native: OwnFacts;
}

/** A text completion, of a raw prompt. */
export interface OpenAITextBody {
  id: string;
  object: "text_completion";
  created: number;
  model: string;
  choices: {
    /** The number of the sample. */
    index: number;
    text: string;
    reasoning_content: string;
    logprobs: null;
    finish_reason: "stop" | "length";
  }[];
  usage: Usage;
  system_fingerprint: string;
  r1_native: OwnFacts;
}

/** What OpenAI has no place for. */
type OwnFacts = Pick<BatchRecord, "attempt" | "seed" | "finish_reason" | "versions" | "timings"> &
  Partial<Pick<BatchRecord, "columns" | "verified" | "verify_error">>;

/** A line of OpenAI's batch output. */
export interface OpenAIBatchLine<Body = OpenAIChatBody | OpenAITextBody> {
  id: string;
  custom_id: string;
  response: { status_code: 200; request_id: string; body: Body };
  error: null;
}

/** OpenAI's words for the ends of a generation. */
const FINISH: Readonly<Partial<Record<BatchRecord["finish_reason"], Finish>>> = {
  length: "length",
  loop: "length",
  "tool-calls": "tool_calls",
};

function usageOf(record: BatchRecord): Usage {
  return {
    prompt_tokens: record.prompt_tokens,
    completion_tokens: record.completion_tokens,
    total_tokens: record.prompt_tokens + record.completion_tokens,
    prompt_tokens_details: { cached_tokens: record.cached_tokens },
    completion_tokens_details: { reasoning_tokens: record.reasoning_tokens },
  };
}

function logprobsOf({ logprobs }: BatchRecord): OpenAIChatBody["choices"][0]["logprobs"] {
  if (logprobs === undefined) return null;
  const entry = (token: { text: string; logprob: number }): Token => ({
    token: token.text,
    logprob: token.logprob,
    bytes: [...Buffer.from(token.text)],
  });
  return {
    content: logprobs.map((token) => ({ ...entry(token), top_logprobs: token.top.map(entry) })),
    refusal: null,
  };
}

function messageOf(record: BatchRecord): OpenAIChatBody["choices"][0]["message"] {
  const calls = record.tool_calls ?? [];
  return {
    role: "assistant",
    content: record.answer === "" && calls.length > 0 ? null : record.answer,
    refusal: null,
    reasoning_content: record.reasoning,
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, name, arguments: given }) => ({
            id,
            type: "function" as const,
            function: { name, arguments: JSON.stringify(given) },
          })),
        }),
  };
}

/**
 * The line of a result: `custom_id`, and in `response.body` a chat completion (a text completion for
 * a raw prompt) with one choice, whose `index` is the number of the sample. What OpenAI has no place
 * for stands in `body.r1_native`.
 */
export function openAILine(
  ask: Pick<RowAsk, "kind">,
  record: BatchRecord,
  origin: Pick<Origin, "fingerprint" | "description">,
): OpenAIBatchLine {
  const key = randomUUID().replaceAll("-", "");
  const { attempt, seed, columns, verified, verify_error, versions, timings } = record;
  const { finish_reason, sample } = record;
  const shared = {
    created: Math.floor(Date.parse(record.finished) / 1000),
    model: origin.description,
    usage: usageOf(record),
    system_fingerprint: origin.fingerprint,
    r1_native: {
      attempt,
      seed,
      finish_reason,
      ...(columns === undefined ? {} : { columns }),
      ...(verified === undefined ? {} : { verified }),
      ...(verify_error === undefined ? {} : { verify_error }),
      versions,
      timings,
    },
  };
  const finish = FINISH[finish_reason] ?? "stop";
  const body: OpenAIChatBody | OpenAITextBody =
    ask.kind === "chat"
      ? {
          id: `chatcmpl-${key}`,
          object: "chat.completion",
          choices: [
            {
              index: sample,
              message: messageOf(record),
              logprobs: logprobsOf(record),
              finish_reason: finish,
            },
          ],
          ...shared,
        }
      : {
          id: `cmpl-${key}`,
          object: "text_completion",
          choices: [
            {
              index: sample,
              text: record.answer,
              reasoning_content: record.reasoning,
              logprobs: null,
              finish_reason: finish === "length" ? "length" : "stop",
            },
          ],
          ...shared,
        };
  return {
    id: `batch_req_${key}`,
    custom_id: record.id,
    response: { status_code: 200, request_id: key, body },
    error: null,
  };
}
