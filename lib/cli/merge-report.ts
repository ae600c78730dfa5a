// What a merge of outputs shows on standard error. Main thread.
import type { MergeSummary } from "../batch.js";

/** Reports what was merged, and samples with several results. */
export function sayMerged(target: string, summary: MergeSummary): void {
  const { records, repeated, different, differences, failed } = summary;
  process.stderr.write(
    `wrote ${records} records to ${target}; ${repeated} stood in several outputs, ` +
      `${different} of others had another result; ${failed} failed\n`,
  );
  for (const { id, sample, path } of differences)
    process.stderr.write(`  ${JSON.stringify(id)}, sample ${sample}: another result in ${path}\n`);
  if (different > differences.length)
    process.stderr.write(`  and ${different - differences.length} more\n`);
}
