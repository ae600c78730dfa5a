// Turns the patterns of `tensorOverrides` into the names they match in a file.
import { resolvePatterns } from "../base/tensor-patterns.js";

/** One entry of `tensorOverrides`. */
export interface TensorOverride {
  readonly pattern: string;
  readonly buffer: string;
}

/** Matches nothing, and lets llama.cpp check the buffer's name. */
const NOTHING = "^$";

/** What the overrides come to in a file. */
export interface ResolvedOverrides {
  /** For llama.cpp; no two match the same tensor. */
  readonly overrides: TensorOverride[];
  /** Names that one of them matches. */
  readonly matched: ReadonlySet<string>;
}

export const NO_OVERRIDES: ResolvedOverrides = Object.freeze({
  overrides: [],
  matched: new Set<string>(),
});

/**
 * Resolves overrides against the names of a file's tensors; the first that matches counts.
 *
 * @throws the signal's reason; {R1Error} `INVALID_ARGUMENT` for what is no pattern.
 */
export async function resolveOverrides(
  names: readonly string[],
  overrides: readonly TensorOverride[],
  signal: AbortSignal | undefined,
): Promise<ResolvedOverrides> {
  const resolved = await resolvePatterns(names, overrides, "tensorOverrides", signal);
  return {
    overrides: resolved.flatMap(({ rule: { buffer }, patterns }) =>
      (patterns.length === 0 ? [NOTHING] : patterns).map((pattern) => ({ pattern, buffer })),
    ),
    matched: new Set(resolved.flatMap(({ names: own }) => own)),
  };
}
