// What is written for a sample: records of results, records of errors, and both in OpenAI's form;
// and how they are read back. Pure; any JavaScript thread.
import { randomUUID } from "node:crypto";
import type { R1Error } from "../base/errors.js";
import type { GenerationResult, TokenLogprob, ToolCall } from "../base/types.js";
import type { BatchRow } from "./row.js";

/** Where records come from. */
export interface Origin {
  readonly fingerprint: string;
  readonly description: string;
  readonly version: string;
  readonly llamaVersion: string;
}

/** How a sample came about. */
export interface Course {
  readonly sample: number;
  readonly attempt: number;
  /** What the verifier said; undefined without one. */
  readonly verified?: boolean | undefined;
  /** Why the verifier could not say anything. */
  readonly verifyError?: string | undefined;
}

/** A result as it stands in the output: one line of JSON. */
export interface BatchRecord {
  readonly id: string;
  /** From 0. */
  readonly sample: number;
  /** The question, where the row had one; else `messages`. */
  readonly prompt?: string;
  readonly messages?: readonly unknown[];
  /** The prompt was raw. */
  readonly raw?: true;
  /** The row's own columns. */
  readonly columns?: Readonly<Record<string, unknown>>;
  /** Options of the row itself. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly reasoning: string;
  readonly answer: string;
  readonly tool_calls?: readonly ToolCall[];
  readonly logprobs?: readonly TokenLogprob[];
  readonly finish_reason: GenerationResult["finishReason"];
  readonly verified?: boolean;
  readonly verify_error?: string;
  readonly prompt_tokens: number;
  /** Of these, tokens whose cells were there already. */
  readonly cached_tokens: number;
  readonly reasoning_tokens: number;
  /** Tokens sampled, those of the reasoning included. */
  readonly completion_tokens: number;
  readonly seed: number;
  readonly attempt: number;
  /** Fingerprint of the model's files. */
  readonly model: string;
  readonly versions: { readonly "r1-native": string; readonly "llama.cpp": string };
  /** Unit: milliseconds. */
  readonly timings: {
    readonly first_token_ms: number;
    readonly prompt_ms: number;
    readonly decode_ms: number;
  };
  /** When it was finished, ISO 8601. */
  readonly finished: string;
}

/** The question of a row as its record carries it. */
function asked({ ask }: BatchRow): Pick<BatchRecord, "prompt" | "messages" | "raw"> {
  if (ask.kind === "raw") return { prompt: ask.prompt, raw: true };
  const [only] = ask.messages;
  if (ask.messages.length === 1 && only?.role === "user" && typeof only.content === "string")
    return { prompt: only.content };
  return { messages: ask.messages };
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10;

/** The record of a result. */
export function recordOf(
  row: BatchRow,
  result: GenerationResult,
  course: Course,
  origin: Origin,
): BatchRecord {
  const { usage, timings } = result;
  return {
    id: row.id,
    sample: course.sample,
    ...asked(row),
    ...(row.columns === undefined ? {} : { columns: row.columns }),
    ...(Object.keys(row.options).length === 0 ? {} : { options: row.options }),
    reasoning: result.reasoning,
    answer: result.answer,
    ...(result.toolCalls.length === 0 ? {} : { tool_calls: result.toolCalls }),
    ...(result.logprobs === undefined ? {} : { logprobs: result.logprobs }),
    finish_reason: result.finishReason,
    ...(course.verified === undefined ? {} : { verified: course.verified }),
    ...(course.verifyError === undefined ? {} : { verify_error: course.verifyError }),
    prompt_tokens: usage.promptTokens,
    cached_tokens: usage.cachedTokens,
    reasoning_tokens: usage.reasoningTokens,
    completion_tokens: usage.completionTokens,
    seed: result.seed,
    attempt: course.attempt,
    model: origin.fingerprint,
    versions: { "r1-native": origin.version, "llama.cpp": origin.llamaVersion },
    timings: {
      first_token_ms: rounded(timings.firstTokenMs),
      prompt_ms: rounded(timings.promptMs),
      decode_ms: rounded(timings.decodeMs),
    },
    finished: new Date().toISOString(),
  };
}

const WHOLE: readonly BatchRecord["finish_reason"][] = ["stop", "stop-string", "tool-calls"];

/** Whether a result ended by itself, and neither `length` nor `loop` ended it. */
export const isWhole = ({ finish_reason }: Pick<BatchRecord, "finish_reason">): boolean =>
  WHOLE.includes(finish_reason);

/** An error as it stands in the errors file: a line in OpenAI's form, and the sample. */
export interface ErrorRecord {
  readonly id: string;
  readonly custom_id: string;
  readonly sample: number;
  readonly attempt: number;
  readonly response: null;
  readonly error: { readonly code: string; readonly message: string };
}

/** The line of a sample that failed for good. */
export function errorRecordOf(id: string, course: Course, error: R1Error): ErrorRecord {
  return {
    id: `batch_req_${randomUUID().replaceAll("-", "")}`,
    custom_id: id,
    sample: course.sample,
    attempt: course.attempt,
    response: null,
    error: { code: error.code, message: error.message },
  };
}

/** What a restart must know of a line that is there. */
export interface KnownSample {
  readonly id: string;
  readonly sample: number;
  readonly verified: boolean;
}

const isSample = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 64;

/** Which sample a line of an output or an errors file is of; undefined for what is none. */
export function knownSample(value: unknown): KnownSample | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const line = value as Record<string, unknown>;
  if (typeof line["custom_id"] === "string") {
    const body = (line["response"] as { body?: Record<string, unknown> } | null)?.body;
    const choices = body?.["choices"] as { index?: unknown }[] | undefined;
    const sample = line["sample"] ?? choices?.[0]?.index;
    const own = body?.["r1_native"] as { verified?: unknown } | undefined;
    return isSample(sample)
      ? { id: line["custom_id"], sample, verified: own?.verified === true }
      : undefined;
  }
  const { id, sample } = line;
  return typeof id === "string" && isSample(sample)
    ? { id, sample, verified: line["verified"] === true }
    : undefined;
}

/** As {@link knownSample}, of the text of a line; undefined too for what is not JSON or UTF-8. */
export function knownSampleOf(text: string | undefined): KnownSample | undefined {
  try {
    return text === undefined ? undefined : knownSample(JSON.parse(text));
  } catch {
    return undefined;
  }
}
