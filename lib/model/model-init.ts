// The values that loadModel creates a model from. Types only.
import type { Engine } from "../engine/engine.js";
import type { Weights } from "../weights/weights.js";
import type { ModelInfo } from "./info.js";

/** The parts of a model. */
export interface ModelInit {
  readonly weights: Weights;
  readonly engine: Engine;
  readonly info: ModelInfo;
  readonly maxDraft: number;
  /** Weights of the draft model. */
  readonly draft: Weights | undefined;
  /** Fingerprint of all parts of the file; computed at the first call. */
  readonly fingerprint: () => Promise<string>;
  /** Options that change the contents of a KV cell, as JSON. */
  readonly cellOptions: string;
  /** Key that seals saved sessions; null: no key. */
  readonly sessionKey: Uint8Array | null;
  /** Called when the model is closed. */
  readonly onClosed: () => void;
}
