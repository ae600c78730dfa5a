// Loads a model's weights and vocabulary after the checks of its files, and frees them. Loading
// runs on a native thread.
import { waitOrAbort } from "../base/abort.js";
import { R1Error } from "../base/errors.js";
import type { RoleTokens, Variant } from "../base/types.js";
import type {
  NativeAddon,
  NativeModel,
  NativeModelConfig,
  NativeModelInfo,
} from "../binding/native.js";
import type { CheckedModel } from "../gguf/check/check-model.js";
import { detectVariant } from "../template/variants.js";
import { SpecialTokens, turnTokens } from "./special-tokens.js";
import { nativeFields } from "./load-table/table.js";
import type { LoadConfig } from "./normalize-load.js";
import { Tokenizer } from "./tokenizer.js";

/** A loaded file. */
export class Weights {
  readonly native: NativeModel;
  readonly info: Readonly<NativeModelInfo>;
  readonly variant: Variant;
  readonly roles: RoleTokens;
  /** The spelling of the role tokens in the vocabulary. */
  readonly roleTexts: Readonly<Record<keyof RoleTokens, string>>;
  readonly tokenizer: Tokenizer;
  /** Every control and user-defined token. */
  readonly specialTokens: SpecialTokens;
  /**
   * Bytes of the longest token: a text of n bytes has at least n / longestToken tokens. 0: unknown.
   */
  readonly longestToken: number;
  /** Ids that begin or end a turn: R1's roles, end-of-generation tokens, marks of other formats. */
  readonly turnTokens: ReadonlySet<number>;
  /** `tokenizer.chat_template`, or null. */
  readonly chatTemplate: string | null;
  #isClosed = false;

  constructor(native: NativeModel) {
    this.native = native;
    this.info = Object.freeze(native.info());
    const vocab = native.vocab();
    const special = native.specialTokens();
    const { variant, tokens, texts } = detectVariant({
      architecture: this.info.architecture,
      vocab,
      specialTokens: special,
    });
    this.specialTokens = new SpecialTokens(special);
    this.longestToken = (vocab as { longestToken?: number }).longestToken ?? 0;
    this.turnTokens = turnTokens(vocab, tokens, special);
    this.variant = variant;
    this.roles = tokens;
    this.roleTexts = texts;
    this.chatTemplate = native.chatTemplate();
    this.tokenizer = new Tokenizer(native, vocab, tokens, () => this.assertOpen());
  }

  /** @throws {R1Error} `DISPOSED` after `close`. */
  assertOpen(): void {
    if (this.#isClosed)
      throw new R1Error("DISPOSED", "The model is closed. Load it again to continue.");
  }

  /** From now on everything that needs the weights throws DISPOSED. */
  markClosed(): void {
    this.#isClosed = true;
  }

  /** Frees the weights on another thread, once no engine uses them any more. */
  async close(): Promise<void> {
    this.markClosed();
    await this.native.close();
  }
}

/** Builds the configuration that native code loads checked files from. */
export function weightsConfig(
  checked: CheckedModel,
  config: LoadConfig,
  gpuLayers: number,
): NativeModelConfig {
  return Object.freeze({
    ...nativeFields(config, "model"),
    paths: checked.paths,
    gpuLayers,
    mla: checked.isMla,
    vocabOnly: false,
  } satisfies NativeModelConfig);
}

/**
 * Loads the weights of checked files.
 *
 * @param gpuLayers - Layers to offload, -1 for all.
 * @param onProgress - Receives 0..1.
 * @throws `signal.reason` when aborted; {R1Error} `MODEL_LOAD_FAILED`, `MODEL_UNSUPPORTED`,
 * `OUT_OF_MEMORY`.
 */
export async function loadWeights(
  host: Pick<NativeAddon, "createCancelToken" | "loadModel">,
  checked: CheckedModel,
  config: LoadConfig,
  gpuLayers: number,
  signal: AbortSignal,
  onProgress: (progress: number) => void,
): Promise<Weights> {
  const token = host.createCancelToken();
  const nativeConfig = weightsConfig(checked, config, gpuLayers);
  const native = await waitOrAbort(
    host.loadModel(nativeConfig, token, onProgress),
    signal,
    () => token.cancel(),
    (late) => void late.close(),
  );
  try {
    return new Weights(native);
  } catch (error) {
    void native.close();
    throw error;
  }
}
