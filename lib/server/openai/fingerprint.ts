// `system_fingerprint`: what OpenAI calls the build that answered.
import type { Exchange } from "../core/protocol.js";

/** Names the build of llama.cpp that a model runs on. */
export function fingerprint({ core }: Exchange, model: string | undefined): string {
  const info = core.models.find(model).model?.info;
  return `r1-native-${info?.llamaVersion ?? "unloaded"}`;
}
