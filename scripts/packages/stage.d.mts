import type { Manifest, Target } from "./targets.mjs";

/** What npm would pack. */
export interface Contents {
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly mode: number;
  }[];
  readonly size: number;
}

export const LIMITS: Readonly<Record<"main" | "platform" | "gpu", number>>;
export function contentsOf(folder: string): Contents;
export function copyOwnBuild(root: string, folder: string): string;
export function stageLibraries(
  root: string,
  manifest: Manifest,
  target: Target,
  folders: { readonly from: string; readonly folder: string },
): { readonly glibc: string | undefined };
