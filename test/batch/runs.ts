// Inputs of batches, and what stands in their outputs; runs in the test process.
import { readFileSync, writeFileSync } from "node:fs";
import { tinyModel } from "../cli/program.js";

/** Flags of a quick run on the embedded model. */
export const QUICK = ["-m", tinyModel, "-t", "1", "-n", "48", "-c", "2048"] as const;

/** Writes an input of sums with ids `q0`, `q1` and so on. */
export function writeSums(path: string, count: number): void {
  const line = (i: number): string => `{"id":"q${i}","prompt":"What is ${i % 90}+${i % 7}?"}\n`;
  writeFileSync(path, Array.from({ length: count }, (_, i) => line(i)).join(""));
}

/** A line of an output, as far as the tests look. */
export interface OutputLine {
  readonly id: string;
  readonly sample: number;
  readonly seed: number;
  readonly answer: string;
}

/** The lines of a file; throws for one that is not JSON. */
export function readOutput(path: string): OutputLine[] {
  const text = readFileSync(path, "utf8");
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new Error(`${path} does not end in a line break`);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as OutputLine);
}

/** Ids and samples, sorted, as `q1#0`. */
export const keysOf = (lines: readonly OutputLine[]): string[] =>
  lines.map(({ id, sample }) => `${id}#${sample}`).sort();

/** What {@link keysOf} gives for a whole output of {@link writeSums}. */
export const allKeys = (count: number, samples = 1): string[] =>
  Array.from(
    { length: count * samples },
    (_, i) => `q${i % count}#${Math.floor(i / count)}`,
  ).sort();
