// A model that answers as a test says, without an engine; runs in the test process.
import { R1Error, type R1ErrorCode } from "../../lib/base/errors.js";
import type { FinishReason, GenerationResult } from "../../lib/base/types.js";
import type { ChatModel } from "../../lib/index.js";

/** One call of the model. */
export interface FakeCall {
  readonly prompt: string;
  readonly seed: number;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
}

/** What comes of a call: an answer, an end, or an error. */
export type FakeReply =
  | string
  | { readonly answer?: string; readonly finishReason: FinishReason }
  | { readonly code: R1ErrorCode };

/** Answers after a moment, by `reply`; counts what is asked. */
export class FakeModel {
  readonly info = {
    sequences: 2,
    description: "fake",
    architecture: "fake",
    parameters: 1,
    sizeBytes: 1,
    vocabSize: 10,
    llamaVersion: "0",
  };
  readonly calls: FakeCall[] = [];
  running = 0;
  mostRunning = 0;
  closed = 0;
  readonly #reply: (call: FakeCall) => FakeReply | Promise<FakeReply>;

  constructor(reply: (call: FakeCall) => FakeReply | Promise<FakeReply>) {
    this.#reply = reply;
  }

  /** As the runner takes it. */
  get model(): ChatModel {
    return this as unknown as ChatModel;
  }

  chat(messages: { content: string }[], options: Record<string, unknown>): unknown {
    const call: FakeCall = {
      prompt: messages.at(-1)?.content ?? "",
      seed: options["seed"] as number,
      timeoutMs: options["timeoutMs"] as number | undefined,
      signal: options["signal"] as AbortSignal,
    };
    this.calls.push(call);
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const result = this.#result(call).finally(() => this.running--);
    result.catch(() => undefined);
    return {
      result: () => result,
      async *[Symbol.asyncIterator]() {
        const { answer } = await result;
        call.signal.throwIfAborted();
        yield { type: "answer-delta", text: answer, tokens: [1, 2] };
      },
    };
  }

  async #result(call: FakeCall): Promise<GenerationResult> {
    const aborted = new Promise<"aborted">((resolve) => {
      call.signal.addEventListener("abort", () => resolve("aborted"), { once: true });
    });
    await new Promise((resolve) => setTimeout(resolve, 1));
    const given: FakeReply = { finishReason: "aborted" };
    const reply = await Promise.race<FakeReply>([this.#reply(call), aborted.then(() => given)]);
    if (typeof reply === "object" && "code" in reply)
      throw new R1Error(reply.code, "as the test says");
    const { answer = "", finishReason } =
      typeof reply === "string" ? { answer: reply, finishReason: "stop" as const } : reply;
    return {
      reasoning: "",
      answer,
      text: answer,
      tokens: new Int32Array(2),
      finishReason,
      seed: call.seed,
      usage: { promptTokens: 3, cachedTokens: 0, completionTokens: 2, reasoningTokens: 0 },
      timings: {
        firstTokenMs: 1,
        promptMs: 1,
        decodeMs: 1,
        promptTokensPerSecond: 1,
        tokensPerSecond: 1,
        draftedTokens: 0,
        acceptedTokens: 0,
      },
      toolCalls: [],
    };
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}
