// Resolves the patterns of `tensorOverrides` to the tensor names they match in a file.
import { resolvePatterns } from "../base/tensor-patterns.js";

/** One entry of `tensorOverrides`. */
export interface TensorOverride {
  readonly pattern: string;
  readonly buffer: string;
}

/** Matches no tensor, but lets llama.cpp check the buffer's name. */
const NOTHING = "^$";

/** The overrides, resolved against a file. */
export interface ResolvedOverrides {
  /** Patterns for llama.cpp; no two match the same tensor. */
  readonly overrides: TensorOverride[];
  /** Names that at least one pattern matches. */
  readonly matched: ReadonlySet<string>;
}

export const NO_OVERRIDES: ResolvedOverrides = Object.freeze({
  overrides: [],
  matched: new Set<string>(),
});

/**
 * Resolves overrides against the names of a file's tensors; the first match wins.
 *
 * @throws the signal's reason; {R1Error} `INVALID_ARGUMENT` for an invalid pattern.
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
