/** A package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Target {
  readonly name: string;
  readonly platform: string;
  readonly backend: string | undefined;
}

export const PLATFORMS: Readonly<
  Record<string, { readonly os: string[]; readonly cpu: string[]; readonly libc?: string[] }>
>;
export const ALL_TARGETS: readonly string[];
/** The platform of this machine, as the packages are named. */
export function ownPlatform(): string;
export function targetOf(name: string): Target | undefined;
