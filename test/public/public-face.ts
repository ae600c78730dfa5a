// The types of the public face, checked by the compiler alone: every `@ts-expect-error` must be an
// error, and nothing else may be one.
import type { ModelMessage } from "ai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { z } from "zod";
import {
  R1Error,
  fromAiSdk,
  fromOpenAI,
  isR1Error,
  loadModel,
  type ChatMessage,
  type ChatSession,
  type FinishReason,
  type Generation,
  type GenerationResult,
  type LoadOptions,
  type Model,
  type Part,
  type ToolDefinition,
} from "../../lib/index.js";
import { mergeGguf, type inspectGguf, type Inspection, type MergeResult } from "../../lib/files.js";
import { downloadModel, type DownloadProgress, type DownloadResult } from "../../lib/hub.js";
import { planOffload } from "../../lib/plan.js";

/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access -- wrong on purpose */

/** Fails to compile unless both types are the same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
export const same = <A, B>(_: Same<A, B>): void => undefined;

export async function loading(): Promise<void> {
  same<Model, Awaited<ReturnType<typeof loadModel>>>(true);
  await loadModel();
  await loadModel("x.gguf");
  await loadModel(new URL("file:///x.gguf"), { contextSize: 1024 });
  await loadModel({ cacheTypeK: "q4_0", gpuLayers: "auto", priority: "high", logger: console });
  // @ts-expect-error: no such option
  await loadModel("x.gguf", { ctxSize: 1024 });
  // @ts-expect-error: no such cache type
  await loadModel({ cacheTypeK: "q2_k" });
  // @ts-expect-error: levels have names
  await loadModel({ priority: 2 });
  const options: LoadOptions = { contextSize: 1 };
  // @ts-expect-error: options are read-only
  options.contextSize = 2;
}

export async function asking(model: Model, session: ChatSession): Promise<void> {
  const messages: ChatMessage[] = [{ role: "user", content: "hi" }];
  const run: Generation = model.chat(messages, {
    temperature: 0,
    seed: 1,
    stop: ["x"],
    openThink: "auto",
  });
  for await (const part of run) {
    same<Part, typeof part>(true);
    if (part.type === "reasoning-delta") same<string, typeof part.text>(true);
    if (part.type === "finish") same<FinishReason, typeof part.finishReason>(true);
    // @ts-expect-error: not every part has a text
    part.text.trim();
  }
  const result: GenerationResult = await run.result();
  same<Int32Array, typeof result.tokens>(true);
  // @ts-expect-error: results are read-only
  result.answer = "";
  model.complete("x", { logprobs: 2 });
  model.complete(new Int32Array(1));
  // @ts-expect-error: raw prompts have no template
  model.complete("x", { openThink: true });
  // @ts-expect-error: roles are these four
  model.chat([{ role: "robot", content: "x" }]);
  session.send("x", { signal: new AbortController().signal });
  // @ts-expect-error: a signal belongs to a turn
  model.session({ signal: new AbortController().signal });
  same<Int32Array, ReturnType<typeof model.tokenizer.encode>>(true);
  // @ts-expect-error: facts are read-only
  model.info.layers = 3;
}

export function tools(model: Model, zod: { toJSONSchema(params?: { io: "input" }): object }): void {
  const named = (parameters: ToolDefinition["function"]["parameters"]): ToolDefinition => ({
    type: "function",
    function: { name: "f", ...(parameters === undefined ? {} : { parameters }) },
  });
  model.chat([], {
    tools: [named(zod), named({ type: "object" }), named(null), named(z.object({}))],
  });
  // @ts-expect-error: a schema is an object
  named("object");
}

export function failing(error: unknown): string {
  if (isR1Error(error, "QUEUE_FULL")) return error.message;
  // @ts-expect-error: no such code
  isR1Error(error, "NO_SUCH_CODE");
  return new R1Error("INTERNAL", "x").code;
}

export async function files(): Promise<void> {
  same<Inspection, Awaited<ReturnType<typeof inspectGguf>>>(true);
  same<MergeResult, Awaited<ReturnType<typeof mergeGguf>>>(true);
  await mergeGguf("first.gguf", "out.gguf", { modelfile: "r1" });
  // @ts-expect-error: no such option
  await mergeGguf("first.gguf", "out.gguf", { ollama: "r1" });
  const onProgress = (progress: DownloadProgress): number => progress.receivedBytes;
  same<DownloadResult, Awaited<ReturnType<typeof downloadModel>>>(true);
  await downloadModel("owner/name", { onProgress });
  const { load } = await planOffload("x.gguf", { vramGiB: [24, 24] });
  // What a plan says is what a load takes.
  await loadModel("x.gguf", load);
}

export async function disposing(): Promise<void> {
  await using model = await loadModel();
  model.stats();
}

export function errors(error: unknown): string {
  if (isR1Error(error, "QUEUE_FULL", "CONTEXT_FULL"))
    same<"QUEUE_FULL" | "CONTEXT_FULL", typeof error.code>(true);
  // @ts-expect-error: no such code
  if (isR1Error(error, "QUEUE_EMPTY")) return "";
  return isR1Error(error) && error.retriable ? error.code : String(error);
}

export function foreignMessages(
  model: Model,
  openai: ChatCompletionMessageParam[],
  aiSdk: ModelMessage[],
  result: GenerationResult,
): void {
  model.chat(fromOpenAI(openai));
  model.chat(fromAiSdk(aiSdk));
  model.chat([
    { role: "user", content: "hi" },
    { role: "assistant", ...result },
  ]);
  model.chat([{ role: "developer", content: [{ type: "text", text: "x" }], name: "y" }]);
  // @ts-expect-error: no such role
  model.chat([{ role: "function", content: "x" }]);
}

/** Options whose value is known at run time only, under exactOptionalPropertyTypes. */
export async function maybe(
  model: Model,
  n: number | undefined,
  yes: boolean | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  await loadModel(undefined, { contextSize: n, gpuLayers: n, signal, checkTensors: yes });
  await model
    .chat([{ role: "user", content: "x" }], { temperature: n, maxTokens: n, signal, seed: n })
    .result();
  model.session({ temperature: n, system: undefined, messages: undefined });
}
