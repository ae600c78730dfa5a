// Types of run.mjs.
export interface Outcome {
  seed: number;
  kind: string;
  /** `ok`, an error code, `loaded, then CODE`, `crash: SIGNAL` or `hang`. */
  outcome: string;
  ms: number;
  /** Last error output of a child that died. */
  tail?: string;
}
export function runMutants(
  base: string,
  path: string,
  from: number,
  to: number,
  kind?: "bytes" | "structure",
): Promise<Outcome[]>;
export function runFileWork(
  base: string,
  folder: string,
  from: number,
  to: number,
): Promise<Outcome[]>;
export function outcomeTable(outcomes: readonly Outcome[]): string;
