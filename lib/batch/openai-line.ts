// Writes a record as a line of OpenAI's batch output. Pure; any JavaScript thread.
import { randomUUID } from "node:crypto";
import type { BatchRecord, Origin } from "./record.js";
import type { BatchRow } from "./row.js";

/** OpenAI's words for the ends of a generation. */
const FINISH: Readonly<Record<string, string>> = {
  stop: "stop",
  "stop-string": "stop",
  length: "length",
  loop: "length",
  "tool-calls": "tool_calls",
};

function usageOf(record: BatchRecord): object {
  return {
    prompt_tokens: record.prompt_tokens,
    completion_tokens: record.completion_tokens,
    total_tokens: record.prompt_tokens + record.completion_tokens,
    prompt_tokens_details: { cached_tokens: record.cached_tokens },
    completion_tokens_details: { reasoning_tokens: record.reasoning_tokens },
  };
}

function logprobsOf({ logprobs }: BatchRecord): object | null {
  if (logprobs === undefined) return null;
  const entry = (token: { text: string; logprob: number }): object => ({
    token: token.text,
    logprob: token.logprob,
    bytes: [...Buffer.from(token.text)],
  });
  return {
    content: logprobs.map((token) => ({ ...entry(token), top_logprobs: token.top.map(entry) })),
    refusal: null,
  };
}

function messageOf(record: BatchRecord): object {
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
            type: "function",
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
  row: Pick<BatchRow, "ask">,
  record: BatchRecord,
  origin: Pick<Origin, "fingerprint" | "description">,
): object {
  const key = randomUUID().replaceAll("-", "");
  const isChat = row.ask.kind === "chat";
  const finish = FINISH[record.finish_reason] ?? "stop";
  const { attempt, seed, verified, verify_error, versions, timings, finish_reason } = record;
  return {
    id: `batch_req_${key}`,
    custom_id: record.id,
    response: {
      status_code: 200,
      request_id: key,
      body: {
        id: `${isChat ? "chatcmpl" : "cmpl"}-${key}`,
        object: isChat ? "chat.completion" : "text_completion",
        created: Math.floor(Date.parse(record.finished) / 1000),
        model: origin.description,
        choices: [
          isChat
            ? {
                index: record.sample,
                message: messageOf(record),
                logprobs: logprobsOf(record),
                finish_reason: finish,
              }
            : {
                index: record.sample,
                text: record.answer,
                reasoning_content: record.reasoning,
                logprobs: null,
                finish_reason: finish,
              },
        ],
        usage: usageOf(record),
        system_fingerprint: origin.fingerprint,
        r1_native: {
          attempt,
          seed,
          finish_reason,
          ...(record.columns === undefined ? {} : { columns: record.columns }),
          ...(verified === undefined ? {} : { verified }),
          ...(verify_error === undefined ? {} : { verify_error }),
          versions,
          timings,
        },
      },
    },
    error: null,
  };
}
