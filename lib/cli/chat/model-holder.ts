// The loaded model of a conversation, and how another one takes its place. Main thread.
import type { Model } from "../../index.js";
import { watchSignals } from "../exit.js";
import { openModel } from "../open-model.js";
import type { Conversation } from "./conversation.js";

/** The loaded model, which /model replaces. */
export class ModelHolder {
  #model: Model;
  readonly #load: Readonly<Record<string, unknown>>;
  readonly #isVerbose: boolean;
  #path: unknown;

  private constructor(model: Model, load: Readonly<Record<string, unknown>>, isVerbose: boolean) {
    this.#model = model;
    this.#load = load;
    this.#path = load["path"];
    this.#isVerbose = isVerbose;
  }

  /** Loads the model of the command line; Ctrl-C cancels it. */
  static async open(
    load: Readonly<Record<string, unknown>>,
    isVerbose: boolean,
  ): Promise<ModelHolder> {
    return new ModelHolder(await openWatched(load, isVerbose), load, isVerbose);
  }

  get model(): Model {
    return this.#model;
  }

  /**
   * Replaces the model. The old one is closed first, since few machines have memory for two; if the
   * new one cannot be loaded, the old one is loaded again.
   */
  async replace(path: string, conversation: Conversation): Promise<void> {
    await this.#model.close();
    try {
      await this.#adopt(path, conversation);
    } catch (error) {
      await this.#adopt(this.#path, conversation);
      throw error;
    }
    this.#path = path;
  }

  async #adopt(path: unknown, conversation: Conversation): Promise<void> {
    const { path: _old, ...load } = this.#load;
    const model = await openWatched(
      { ...load, ...(path === undefined ? {} : { path }) },
      this.#isVerbose,
    );
    try {
      conversation.moveTo(model);
    } catch (error) {
      await model.close();
      throw error;
    }
    this.#model = model;
  }
}

async function openWatched(
  load: Readonly<Record<string, unknown>>,
  isVerbose: boolean,
): Promise<Model> {
  const loading = watchSignals(() => undefined);
  return openModel(load, { isVerbose, signal: loading.signal }).finally(() => loading.stop());
}
