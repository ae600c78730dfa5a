// Several runs of one request, one for each of its prompts, read as one.
import type { RunEvent } from "./events.js";
import { interleave } from "./interleave.js";
import type { Run } from "./run.js";

/** What a response reads: a run, or several as one. */
export type ReadableRun = Pick<Run, "admitted" | "events" | "abort">;

async function* shifted(run: Run, by: number): AsyncGenerator<RunEvent> {
  for await (const event of run.events())
    yield "choice" in event ? { ...event, choice: event.choice + by } : event;
}

/**
 * Reads runs as one whose choices count on: those of the second run begin at `n`. The first error
 * ends all.
 */
export function joinRuns(runs: readonly Run[], n: number): ReadableRun {
  const abort = (): void => {
    for (const run of runs) run.abort();
  };
  return {
    abort,
    admitted: async () => {
      try {
        const counts = await Promise.all(runs.map((run) => run.admitted()));
        return counts.reduce((sum, count) => sum + count, 0);
      } catch (error) {
        abort();
        throw error;
      }
    },
    async *events() {
      try {
        for await (const event of interleave(runs.map((run, i) => shifted(run, i * n)))) {
          yield event;
          if (event.type === "error") return;
        }
      } finally {
        abort();
      }
    },
  };
}
