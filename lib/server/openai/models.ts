// GET /models and /models/{id}.
import { basename } from "node:path";
import type { ModelEntry } from "../core/models.js";
import type { Exchange } from "../core/protocol.js";

/** One model in OpenAI's form, with llama-server's facts under `meta` once it is loaded. */
function modelBody(entry: ModelEntry): Record<string, unknown> {
  const info = entry.model?.info;
  return {
    id: entry.name,
    object: "model",
    created: entry.created,
    owned_by: "r1-native",
    state: entry.state,
    ...(info === undefined
      ? {}
      : {
          meta: {
            vocab_type: 2,
            n_vocab: info.vocabSize,
            n_ctx: info.sequenceContextSize,
            n_ctx_train: info.trainContextSize,
            n_embd: info.embeddingSize,
            n_params: info.parameters,
            size: info.sizeBytes,
            file: basename(info.path),
          },
        }),
  };
}

/** GET /models */
export function listModels(exchange: Exchange): Response {
  const { entries } = exchange.core.models;
  return exchange.json({ object: "list", data: entries.map(modelBody) });
}

/** GET /models/{id} @throws {ApiError} 404 */
export function getModel(exchange: Exchange): Response {
  const entry = exchange.core.models.find(exchange.params["model"]);
  return exchange.json(modelBody(entry));
}
