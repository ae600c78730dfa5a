// Shared by the commands for model files: a progress bar, Ctrl-C, and sizes and numbers from the
// command line. Main thread.
import { SingleBar } from "cli-progress";
import { R1Error } from "../base/errors.js";
import { Interrupted, watchSignals } from "./exit.js";

/**
 * Runs work with a progress bar on standard error (on a terminal only) and stops it when a signal
 * arrives.
 */
export async function withProgress<T>(
  label: string,
  work: (onProgress: (progress: number) => void, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: `${label} {bar} {percentage} % {eta_formatted}`,
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: true,
      })
    : undefined;
  const watch = watchSignals(() => undefined);
  bar?.start(1000, 0);
  try {
    return await work((progress) => bar?.update(Math.round(progress * 1000)), watch.signal);
  } catch (error) {
    if (watch.exitCode !== undefined) throw new Interrupted(watch.exitCode);
    throw error;
  } finally {
    bar?.stop();
    watch.stop();
  }
}

/** Formats bytes for people, in powers of 1024. */
export function bytesText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit] ?? ""}`;
}

/** Formats a count for people: 671.0 B, 1.78 B, 6.60 M. */
export function countText(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(count < 1e10 ? 2 : 1)} B`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} M`;
  return String(count);
}

function refuse(flag: string, expected: string, value: string): never {
  throw new R1Error(
    "INVALID_ARGUMENT",
    `Expected ${expected} after ${flag} but received ${JSON.stringify(value)}.`,
    { details: { option: flag } },
  );
}

/** Returns a parser for a flag whose value is a whole number. */
export function wholeNumber(flag: string, min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      refuse(flag, `a whole number from ${min} to ${max}`, value);
    return number;
  };
}

/**
 * Returns a parser for a flag whose value is a size in llama-gguf-split's format: 500M or 48G, in
 * powers of 1000; plain numbers are bytes.
 */
export function decimalSize(flag: string): (value: string) => number {
  return (value) => {
    const match = /^(\d+)([MG]?)$/.exec(value);
    const size =
      Number(match?.[1] ?? 0) * (match?.[2] === "G" ? 1e9 : match?.[2] === "M" ? 1e6 : 1);
    if (size < 1 || !Number.isSafeInteger(size)) refuse(flag, "a size such as 500M or 48G", value);
    return size;
  };
}

/**
 * Formats rows of cells as lines. Columns are as wide as their widest cell; columns of numbers are
 * aligned right.
 */
export function tableText(
  rows: readonly (readonly string[])[],
  rightColumns: readonly number[] = [],
): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          rightColumns.includes(column)
            ? cell.padStart(widths[column] ?? 0)
            : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
