// Fields that /chat/completions and /completions have in common.
import { z } from "zod";
import type { GenerateOptions } from "../../index.js";
import { badRequest } from "../core/api-error.js";
import { assertAtMost, assertNotAbove } from "../core/bounds.js";
import { samplingFields, samplingOptions } from "../core/sampling.js";
import type { ServerLimits } from "../limits.js";

/** Tokens of a reply: -1 means no limit, as llama-server has it. */
const tokens = z
  .int()
  .min(-1)
  .max(2 ** 31 - 1);

/** Fields of both routes. */
export const commonFields = {
  model: z.string().optional().describe("A name of GET /v1/models (default: the first)"),
  stream: z.boolean().optional().describe("Server-sent events, ended by [DONE]"),
  stream_options: z
    .object({ include_usage: z.boolean().nullish() })
    .optional()
    .describe("include_usage: a last chunk with the usage"),
  n: z.int().min(1).optional().describe("Choices (default 1)"),
  stop: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe("Texts that end the reply; no part of one is sent"),
  max_tokens: tokens.optional().describe("Most tokens, thinking included; -1: no limit"),
  n_predict: tokens.optional().describe("llama-server's name of max_tokens"),
  ...samplingFields,
  ignore_eos: z.boolean().optional(),
  cache_prompt: z.boolean().optional().describe("Take over cells computed before (default true)"),
  t_max_predict_ms: z.int().min(0).optional().describe("Most time of the reply"),
  timings_per_token: z.boolean().optional().describe("llama-server's timings in every chunk"),
  return_progress: z.boolean().optional().describe("Chunks with prompt_progress while streaming"),
  sse_ping_interval: z
    .number()
    .optional()
    .describe("Longest silence of a stream in seconds; 0 or below: no signs of life"),
  user: z.string().optional().describe("Accepted, without effect"),
  metadata: z.record(z.string(), z.unknown()).optional().describe("Looked at by auxiliary rules"),
} as const;

/** The fields of both routes, checked. */
export type CommonFields = z.output<z.ZodObject<typeof commonFields>>;

/** Refuses what is above the server's bounds. @throws {ApiError} 400 */
export function checkCommon(fields: CommonFields, limits: ServerLimits): void {
  assertNotAbove(fields.n, limits.maxChoices, "n");
  const { stop } = fields;
  const stops = stop === undefined ? [] : typeof stop === "string" ? [stop] : stop;
  assertAtMost(stops.length, limits.maxStop, "stop");
  if (stops.includes(""))
    throw badRequest(
      "`stop`: a text that ends the reply cannot be empty.",
      "stop",
      "invalid_value",
    );
}

/** Options of the library that both routes set. */
export function commonOptions(
  fields: CommonFields,
  maxTokens: number | undefined,
): GenerateOptions {
  const { stop, ignore_eos: ignoreEos, cache_prompt: cachePrompt } = fields;
  const isBounded = maxTokens !== undefined && maxTokens >= 0;
  if (maxTokens === 0)
    throw badRequest(
      "`max_tokens`: at least one token is generated.",
      "max_tokens",
      "invalid_value",
    );
  return {
    ...samplingOptions(fields),
    ...(isBounded ? { maxTokens } : {}),
    ...(stop === undefined || stop.length === 0 ? {} : { stop }),
    ...(ignoreEos === undefined ? {} : { ignoreEos }),
    ...(cachePrompt === undefined ? {} : { cachePrompt }),
    ...(fields.stream === true && fields.return_progress === true ? { promptProgress: true } : {}),
  };
}

/** The keep-alive that the request wishes for. Unit: milliseconds; undefined: the server's. */
export function pingMs({ sse_ping_interval: seconds }: CommonFields): number | undefined {
  if (seconds === undefined) return undefined;
  return seconds <= 0 ? 0 : Math.max(1000, Math.min(3_600_000, seconds * 1000));
}
