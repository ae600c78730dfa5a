import type { Manifest, Target } from "./targets.mjs";

type Fields = Readonly<Record<string, unknown>>;

export function repositoryFields(env?: Readonly<Record<string, string | undefined>>): Fields;
export function mainManifest(
  root: Manifest,
  platforms: readonly string[],
  repository?: Fields,
): Manifest;
export function platformManifest(
  root: Manifest,
  target: Target,
  options?: { readonly glibc?: string; readonly repository?: Fields },
): Manifest;
export function gpuManifest(
  root: Manifest,
  target: Target,
  options?: { readonly repository?: Fields },
): Manifest;
