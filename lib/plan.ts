// Public exports of r1-native/plan: which layers fit on which device, and the sizes of R1's
// releases.

export { planOffload } from "./plan/plan-offload.js";
export type { OffloadPlan } from "./plan/offload-plan.js";
export type { PlanOptions } from "./plan/plan-options.js";
export type { Placement, PlanPlace } from "./plan/offload.js";
export { R1_DISTILLS, R1_LAYERS, R1_QUANTS, ruleOfThumbLayers } from "./plan/catalogue.js";
export type { R1Distill, R1Quant } from "./plan/catalogue.js";
export { availableMemory } from "./machine/available-memory.js";
