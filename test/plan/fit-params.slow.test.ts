// Plans against llama.cpp's own account of the same placement, and against where llama-fit-params
// would put the model: full size, on devices of given memory.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import type { CacheType } from "../../lib/weights/cache-types.js";
import type { OffloadPlan } from "../../lib/plan/offload-plan.js";
import { planOffload } from "../../lib/plan/plan-offload.js";
import { account, fitParams, type Account, type FitQuestion } from "../fixtures/fit-params.js";
import { withRpcDevices } from "../fixtures/rpc-device.js";

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), "r1-fit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Shape =
  | "r1-full-sparse"
  | "r1-full-legacy-sparse"
  | "distill-qwen-7b-sparse"
  | "distill-qwen-32b-sparse"
  | "distill-llama-70b-sparse";
const written = new Map<Shape, Promise<string>>();
function file(shape: Shape): Promise<string> {
  const made =
    written.get(shape) ?? SHAPES[shape](join(folder, shape)).then(([first = ""]) => first);
  written.set(shape, made);
  return made;
}

/** What `loadModel` would take, as upstream's arguments. */
function asArguments({ load, placement }: OffloadPlan): string[] {
  const overrides = placement.tensorOverrides.map(({ pattern, buffer }) => `${pattern}=${buffer}`);
  return [
    ...["-ngl", load.gpuLayers === "all" ? "999" : String(load.gpuLayers)],
    ...(overrides.length === 0 ? [] : ["-ot", overrides.join(",")]),
    ...(load.tensorSplit === undefined ? [] : ["-ts", load.tensorSplit.join(",")]),
  ];
}

const total = ({ weightsBytes, cacheBytes, computeBytes }: Account): number =>
  weightsBytes + cacheBytes + computeBytes;
const table: string[] = [];
const mib = (bytes: number): string => String(Math.round(bytes / MIB));
afterAll(() => console.log(table.join("\n")));

interface Case {
  readonly shape: Shape;
  readonly vram: readonly number[];
  readonly cacheTypeK: CacheType;
  readonly contextSize?: number;
}

async function compare(
  { shape, vram, cacheTypeK, contextSize = 8192 }: Case,
  { isFitted = false } = {},
) {
  const path = await file(shape);
  // A device behind RPC fetches no experts.
  const plan = await planOffload(path, {
    vramGiB: vram,
    cacheTypeK,
    contextSize,
    opOffload: false,
  });
  const base = { path, contextSize, typeK: plan.cache.typeK, typeV: plan.cache.typeV };
  return withRpcDevices(vram, async (rpc) => {
    const question: FitQuestion = rpc === "" ? base : { ...base, rpc };
    return {
      plan,
      ours: await account(question, asArguments(plan)),
      theirs: isFitted ? await account(question, await fitParams(question)) : [],
    };
  });
}

const cases: Case[] = [
  { shape: "r1-full-sparse", vram: [], cacheTypeK: "q4_0" },
  { shape: "r1-full-sparse", vram: [24], cacheTypeK: "q4_0" },
  { shape: "r1-full-sparse", vram: [48], cacheTypeK: "f16", contextSize: 32_768 },
  { shape: "r1-full-sparse", vram: [80, 80], cacheTypeK: "q4_0" },
  { shape: "r1-full-legacy-sparse", vram: [], cacheTypeK: "q4_0", contextSize: 512 },
  { shape: "r1-full-legacy-sparse", vram: [80], cacheTypeK: "q4_0" },
  { shape: "distill-qwen-7b-sparse", vram: [], cacheTypeK: "f16" },
  { shape: "distill-qwen-7b-sparse", vram: [8], cacheTypeK: "q8_0" },
  { shape: "distill-qwen-32b-sparse", vram: [16], cacheTypeK: "f16" },
  { shape: "distill-llama-70b-sparse", vram: [24], cacheTypeK: "f16" },
  { shape: "distill-llama-70b-sparse", vram: [48], cacheTypeK: "q8_0", contextSize: 16_384 },
];

describe("the bytes of a plan", () => {
  it.each(cases)(
    "are within 2 % of llama.cpp's own: $shape on $vram GiB, $cacheTypeK",
    async (one) => {
      const { plan, ours } = await compare(one);
      const planned = plan.placement.places;
      planned.forEach((place, i) => {
        const told = ours[i];
        if (told === undefined) throw new Error(`no account of ${place.name}`);
        table.push(
          `| ${one.shape} ${one.cacheTypeK} ${one.contextSize ?? 8192} [${one.vram.join()}] | ${place.name} | ${mib(place.weightsBytes)} / ${mib(told.weightsBytes)} | ${mib(place.cacheBytes)} / ${mib(told.cacheBytes)} | ${mib(place.computeBytes)} / ${mib(told.computeBytes)} | ${((total(place) / total(told) - 1) * 100).toFixed(2)} % |`,
        );
        // The tool cuts to whole MiB.
        expect(Math.abs(place.weightsBytes - told.weightsBytes)).toBeLessThanOrEqual(
          0.002 * told.weightsBytes + 2 * MIB,
        );
        expect(Math.abs(place.cacheBytes - told.cacheBytes)).toBeLessThanOrEqual(MIB);
        expect(Math.abs(total(place) - total(told))).toBeLessThanOrEqual(
          0.02 * total(told) + 3 * MIB,
        );
      });
    },
  );
});

describe("where a plan puts the full-size model", () => {
  it.each([24, 48, 80, 160])(
    "on %i GiB, no less of it is on the device than llama-fit-params puts there, and it fits",
    async (gib) => {
      const { plan, ours, theirs } = await compare(
        { shape: "r1-full-sparse", vram: [gib], cacheTypeK: "q4_0" },
        { isFitted: true },
      );
      const [here, there] = [ours[0], theirs[0]];
      if (here === undefined || there === undefined) throw new Error("no account");
      table.push(
        `| ${gib} | ${mib(there.weightsBytes)} | ${mib(total(there))} | ${mib(here.weightsBytes)} | ${mib(total(here))} | ${plan.placement.expertLayers} |`,
      );
      expect(here.weightsBytes).toBeGreaterThanOrEqual(there.weightsBytes);
      expect(total(here)).toBeLessThanOrEqual(gib * GIB - GIB + 64 * MIB);
    },
  );
});
