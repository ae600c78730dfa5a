// What the server counts, in a Prometheus registry of the app's own: llama-server's names where they
// mean the same, and histograms of times and lengths. Labels are few and bounded.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ModelRegistry } from "./models.js";
import type { FinishEvent } from "./events.js";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];
const TOKEN_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const TOKENS = [1, 8, 32, 128, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072];

/** A request that ended, as it is counted. */
export interface RequestFacts {
  /** The route's template, not its path. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** The metrics of one app. */
export class ServerMetrics {
  readonly registry = new Registry();
  readonly #request: Histogram<"route" | "status">;
  readonly #firstToken: Histogram;
  readonly #perToken: Histogram;
  readonly #queue: Histogram;
  readonly #promptTokens: Histogram;
  readonly #completionTokens: Histogram;
  readonly #reasoningTokens: Histogram;
  readonly #finished: Counter<"reason">;
  readonly #refused: Counter<"code">;
  readonly #totals: Record<
    | "prompt"
    | "cached"
    | "promptSeconds"
    | "predicted"
    | "predictedSeconds"
    | "drafted"
    | "accepted",
    Counter
  >;

  /** Sums of the prompts that were computed, and the most tokens of one generation. */
  #promptTotal = 0;
  #promptSeconds = 0;
  #longest = 0;

  constructor(models: ModelRegistry) {
    const registers = [this.registry];
    const histogram = (name: string, help: string, buckets: readonly number[]): Histogram =>
      new Histogram({ name, help, buckets: [...buckets], registers });
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.#request = new Histogram({
      name: "r1_request_duration_seconds",
      help: "Time of HTTP requests by route and status",
      labelNames: ["route", "status"],
      buckets: SECONDS,
      registers,
    });
    this.#firstToken = histogram(
      "r1_time_to_first_token_seconds",
      "From the request to the first text of the model",
      SECONDS,
    );
    this.#perToken = histogram(
      "r1_time_per_output_token_seconds",
      "Mean time of a token after the first, of each generation",
      TOKEN_SECONDS,
    );
    this.#queue = histogram("r1_queue_seconds", "Wait for a turn in the server's queue", SECONDS);
    this.#promptTokens = histogram("r1_prompt_tokens", "Tokens of prompts", TOKENS);
    this.#completionTokens = histogram(
      "r1_completion_tokens",
      "Tokens of replies, the reasoning included",
      TOKENS,
    );
    this.#reasoningTokens = histogram("r1_reasoning_tokens", "Tokens of the reasoning", TOKENS);
    this.#finished = new Counter({
      name: "r1_generations_total",
      help: "Generations that ended, by reason",
      labelNames: ["reason"],
      registers,
    });
    this.#refused = new Counter({
      name: "r1_errors_total",
      help: "Requests that ended with an error, by its code",
      labelNames: ["code"],
      registers,
    });
    this.#totals = {
      prompt: counter("llamacpp:prompt_tokens_total", "Number of prompt tokens processed."),
      cached: counter("llamacpp:prompt_tokens_cached_total", "Number of prompt tokens reused."),
      promptSeconds: counter("llamacpp:prompt_seconds_total", "Prompt process time"),
      predicted: counter(
        "llamacpp:tokens_predicted_total",
        "Number of generation tokens processed.",
      ),
      predictedSeconds: counter("llamacpp:tokens_predicted_seconds_total", "Predict process time"),
      drafted: counter("llamacpp:spec_decode_num_draft_tokens_total", "Draft tokens tried"),
      accepted: counter("llamacpp:spec_decode_num_accepted_tokens_total", "Draft tokens accepted"),
    };
    this.#gauges(models);
  }

  request({ route, status, seconds }: RequestFacts): void {
    this.#request.observe({ route, status: String(status) }, seconds);
  }

  queued(seconds: number): void {
    this.#queue.observe(seconds);
  }

  firstText(seconds: number): void {
    this.#firstToken.observe(seconds);
  }

  /** @param isFirst - The first choice of its request: its prompt is counted. */
  finished({ reason, usage, timings }: FinishEvent, isFirst: boolean): void {
    const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = usage;
    this.#finished.inc({ reason });
    this.#completionTokens.observe(completionTokens);
    if (reasoningTokens > 0) this.#reasoningTokens.observe(reasoningTokens);
    if (completionTokens > 1)
      this.#perToken.observe(timings.decodeMs / 1000 / (completionTokens - 1));
    if (isFirst) {
      this.#promptTokens.observe(promptTokens);
      this.#totals.cached.inc(cachedTokens);
      this.#totals.prompt.inc(promptTokens - cachedTokens);
    }
    this.#promptTotal += promptTokens - cachedTokens;
    this.#promptSeconds += timings.promptMs / 1000;
    this.#longest = Math.max(this.#longest, promptTokens + completionTokens);
    this.#totals.promptSeconds.inc(timings.promptMs / 1000);
    this.#totals.predicted.inc(completionTokens);
    this.#totals.predictedSeconds.inc(timings.decodeMs / 1000);
    this.#totals.drafted.inc(timings.draftedTokens);
    this.#totals.accepted.inc(timings.acceptedTokens);
  }

  error(code: string): void {
    this.#refused.inc({ code });
  }

  /** Values that are read when they are asked for. */
  #gauges(models: ModelRegistry): void {
    const registers = [this.registry];
    const gauge = (name: string, help: string, read: () => number): Gauge =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    type Stats = ReturnType<NonNullable<(typeof models.first)["model"]>["stats"]>;
    const sum = (key: keyof Stats): number =>
      models.entries.reduce((total, { model }) => {
        try {
          return total + (model?.stats()[key] ?? 0);
        } catch {
          return total; // closed meanwhile
        }
      }, 0);
    const waiting = (): number =>
      models.entries.reduce((total, { gate }) => total + (gate?.waiting ?? 0), 0);
    gauge("llamacpp:requests_processing", "Number of requests processing.", () => sum("running"));
    gauge(
      "llamacpp:requests_deferred",
      "Number of requests deferred.",
      () => waiting() + sum("waiting"),
    );
    gauge("llamacpp:prompt_tokens_seconds", "Average prompt throughput in tokens/s.", () =>
      this.#promptSeconds > 0 ? this.#promptTotal / this.#promptSeconds : 0,
    );
    gauge(
      "llamacpp:n_busy_slots_per_decode",
      "Average number of tokens of a llama_decode().",
      () => (sum("steps") > 0 ? sum("completionTokens") / sum("steps") : 0),
    );
    const total = (name: string, help: string, read: () => number): Counter =>
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    total("llamacpp:n_decode_total", "Total number of llama_decode() calls", () => sum("steps"));
    total("llamacpp:n_tokens_max", "Most tokens of a prompt with its reply.", () => this.#longest);
    gauge("llamacpp:predicted_tokens_seconds", "Generation throughput of the last seconds.", () =>
      sum("tokensPerSecond"),
    );
    gauge("r1_cells_used", "KV cells that are taken", () => sum("cellsUsed"));
    gauge("r1_cells_total", "KV cells", () => sum("cellsTotal"));
  }
}
