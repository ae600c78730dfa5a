// The rotary embedding settings that change nothing, in the form of the contract.
import type { NativeEngineConfig } from "./native.js";

/** Changes nothing: every value means "as the file says" (`llama_context_default_params`). */
export const FILE_ROPE: NativeEngineConfig["rope"] = Object.freeze({
  scaling: "file",
  freqBase: 0,
  freqScale: 0,
  yarnExtFactor: -1,
  yarnAttnFactor: -1,
  yarnBetaFast: -1,
  yarnBetaSlow: -1,
  yarnOrigCtx: 0,
});
