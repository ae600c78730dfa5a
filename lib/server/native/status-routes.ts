// GET /health, /metrics, /props, /slots and /: how the server is.
import { basename } from "node:path";
import { ApiError } from "../core/api-error.js";
import type { Exchange } from "../core/protocol.js";
import { isTextModel } from "../core/text-model.js";

/** GET /health: 200 when requests are taken, 503 while a model loads and while draining. */
export function health(exchange: Exchange): Response {
  exchange.core.assertHealthy();
  return exchange.json({ status: "ok" });
}

function off(what: string, flag: string): ApiError {
  return new ApiError(`This server does not support ${what}. Start it with \`${flag}\``, {
    status: 501,
    type: "not_supported_error",
    code: "not_supported",
  });
}

/** GET /metrics: Prometheus' text format. */
export async function metrics({ core }: Exchange): Promise<Response> {
  if (!core.config.metrics) throw off("metrics endpoint.", "--metrics");
  const { registry } = core.metrics;
  return new Response(await registry.metrics(), {
    headers: {
      "content-type": registry.contentType,
      "process-start-time-unix": String(Math.floor(core.startedAt)),
    },
  });
}

/** GET /props in llama-server's form, as far as clients read it; no path of a file is told. */
export function props(exchange: Exchange): Response {
  const { core } = exchange;
  const name = exchange.query.get("model") ?? undefined;
  const entry = core.models.find(name);
  const { model } = entry;
  const info = model?.info;
  const tokenizer = model !== undefined && isTextModel(model) ? model.tokenizer : undefined;
  const text = (id: number | undefined): string =>
    tokenizer === undefined || id === undefined || id < 0 ? "" : tokenizer.decode([id]);
  const { defaults } = core.config;
  return exchange.json({
    default_generation_settings: {
      n_ctx: info?.sequenceContextSize ?? 0,
      params: {
        temperature: defaults.temperature ?? 0.6,
        top_k: defaults.topK ?? 40,
        top_p: defaults.topP ?? 0.95,
        min_p: defaults.minP ?? 0.05,
        seed: defaults.seed ?? 4_294_967_295,
        n_predict: defaults.maxTokens ?? -1,
        reasoning_format: core.config.reasoningForm,
      },
    },
    total_slots: info?.sequences ?? 0,
    model_alias: entry.name,
    model_path: info === undefined ? "" : basename(info.path),
    modalities: { vision: false, audio: false },
    chat_template: "deepseek-r1",
    chat_template_caps: {
      supports_tools: true,
      supports_tool_calls: true,
      supports_system_role: true,
    },
    bos_token: text(tokenizer?.bos),
    eos_token: text(tokenizer?.eos),
    build_info: `r1-native, llama.cpp ${info?.llamaVersion ?? ""}`.trim(),
    is_sleeping: entry.state === "unloaded",
    endpoint_slots: core.config.slots,
    endpoint_props: false,
    endpoint_metrics: core.config.metrics,
  });
}

/** GET /slots: what each sequence may do, and how many are busy; no text, no prompt. */
export function slots(exchange: Exchange): Response {
  const { core } = exchange;
  if (!core.config.slots) throw off("slots endpoint.", "--slots");
  const { model } = core.models.find(exchange.query.get("model") ?? undefined);
  const count = model?.info.sequences ?? 0;
  const running = model?.stats().running ?? 0;
  if (exchange.query.get("fail_on_no_slot") === "1" && running >= count)
    throw new ApiError("no slot available", {
      status: 503,
      type: "unavailable_error",
      code: "no_slot",
    });
  return exchange.json(
    Array.from({ length: count }, (_, id) => ({
      id,
      n_ctx: model?.info.sequenceContextSize ?? 0,
      is_processing: id < running,
    })),
  );
}

/** GET /: what this is. */
export function root(exchange: Exchange): Response {
  return exchange.json({
    name: "r1-native",
    models: exchange.core.models.entries.map(({ name }) => name),
    openapi: "/openapi.json",
  });
}
