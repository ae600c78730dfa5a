// Chooses which routed experts of a run of layers go to its device, tensor by tensor, and names the
// others for llama.cpp. Pure.
import type { PlanTensor, WeightGroups } from "./memory.js";

const bytesOf = (tensors: readonly PlanTensor[]): number =>
  tensors.reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * The tensors of one layer that fill `room` best; a layer has three or four, so all choices are
 * looked at.
 */
function bestPart(tensors: readonly PlanTensor[], room: number): readonly PlanTensor[] {
  let best: readonly PlanTensor[] = [];
  for (let choice = 1; choice < 1 << Math.min(tensors.length, 10); choice++) {
    const chosen = tensors.filter((_, i) => (choice >> i) & 1);
    if (bytesOf(chosen) <= room && bytesOf(chosen) > bytesOf(best)) best = chosen;
  }
  return best;
}

function fill(layers: readonly (readonly PlanTensor[])[], room: number): PlanTensor[] {
  const chosen: PlanTensor[] = [];
  let left = room;
  for (const tensors of layers) {
    const part = bytesOf(tensors) <= left ? tensors : bestPart(tensors, left);
    chosen.push(...part);
    left -= bytesOf(part);
    // Layers with experts on both sides cost a hand-over each: there is one at most.
    if (part.length < tensors.length) break;
  }
  return chosen;
}

/**
 * The expert tensors of a run of layers that fit into the room: whole layers from one end on, and
 * what still fits of the next. From the last layer or from the first, whichever brings more: layers
 * differ in size.
 */
export function expertsThatFit(
  { expertTensors }: WeightGroups,
  layers: readonly number[],
  room: number,
): readonly PlanTensor[] {
  const run = layers
    .map((layer) => expertTensors[layer] ?? [])
    .filter((tensors) => tensors.length > 0);
  const fromEnd = fill(run.toReversed(), room);
  const fromStart = fill(run, room);
  return bytesOf(fromStart) > bytesOf(fromEnd) ? fromStart : fromEnd;
}

/**
 * Overrides that keep just these tensors in system memory: one for the layers of which all are
 * meant, one for each other.
 */
export function overridesFor(
  host: readonly PlanTensor[],
  { expertTensors }: WeightGroups,
): readonly { readonly pattern: string; readonly buffer: string }[] {
  const names = new Set(host.map(({ name }) => name));
  const whole: number[] = [];
  const overrides: { pattern: string; buffer: string }[] = [];
  expertTensors.forEach((tensors, layer) => {
    const here = tensors.filter(({ name }) => names.has(name));
    if (here.length === 0) return;
    if (here.length === tensors.length) whole.push(layer);
    else {
      const parts = here.map(({ name }) => /\.ffn_(\w+)_exps\./.exec(name)?.[1] ?? "");
      overrides.push({
        pattern: `^blk\\.${layer}\\.ffn_(${parts.join("|")})_exps\\.`,
        buffer: "CPU",
      });
    }
  });
  if (whole.length > 0)
    overrides.unshift({ pattern: `^blk\\.(${whole.join("|")})\\.ffn_.*_exps\\.`, buffer: "CPU" });
  return overrides;
}
