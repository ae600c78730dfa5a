// The model of a run over files or a queue, with its verifier: opened for the run, and closed after
// it. Runs on the JavaScript thread.
import type { ChatModel } from "../index.js";
import type { BatchConfig } from "./config.js";
import type { FileConfig } from "./file-config.js";
import { originOf } from "./origin.js";
import type { Origin } from "./record.js";

/** A model, or what loads one: then it is loaded once the input was looked through, and closed. */
export type ModelSource = ChatModel | (() => Promise<ChatModel>);

/** A model that is ready, and what a run needs with it. */
export interface ReadyModel {
  readonly model: ChatModel;
  readonly origin: Origin;
  /** The options, with the verifier that was started and with what loads the model again. */
  readonly batch: BatchConfig;
  /** Must get the model that the run ended with, which is another one after a crash. */
  readonly onModel: (last: ChatModel) => void;
}

/**
 * Starts the verifier, opens the model, and closes both when `use` has ended. A model that was
 * given stays open.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` for a module that is no verifier; what loading the model
 * throws.
 */
export async function withModel<T>(
  source: ModelSource,
  { batch, startVerifier }: Pick<FileConfig, "batch" | "startVerifier">,
  use: (ready: ReadyModel) => Promise<T>,
): Promise<T> {
  const isOwn = typeof source === "function";
  const verifier = startVerifier?.();
  let model: ChatModel | undefined;
  try {
    await verifier?.ready();
    model = isOwn ? await source() : source;
    return await use({
      model,
      origin: await originOf(model),
      batch: {
        ...batch,
        reload: batch.reload ?? (isOwn ? source : undefined),
        ...(verifier === undefined ? {} : { verify: verifier.verify, verifyTimeoutMs: 0 }),
      },
      onModel: (last) => (model = last),
    });
  } finally {
    verifier?.close();
    if (isOwn) await model?.close();
  }
}
