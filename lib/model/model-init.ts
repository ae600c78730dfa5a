// What loadModel makes a model of. Types only.
import type { Engine } from "../engine/engine.js";
import type { Weights } from "../weights/weights.js";
import type { ModelInfo } from "./info.js";

/** What a model is made of. */
export interface ModelInit {
  readonly weights: Weights;
  readonly engine: Engine;
  readonly info: ModelInfo;
  readonly maxDraft: number;
  /** Weights that draft for this model. */
  readonly draft: Weights | undefined;
  /** The fingerprint of all parts of the file; computed at the first call. */
  readonly fingerprint: () => Promise<string>;
  /** Options that change what a KV cell holds, as JSON. */
  readonly cellOptions: string;
  /** Seals saved sessions; null: no key. */
  readonly sessionKey: Uint8Array | null;
  /** Called once the model is closed. */
  readonly onClosed: () => void;
}
