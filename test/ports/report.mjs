// What every program of test/ports/programs does: runs its checks, writes the result as JSON to the
// file that its first argument names, and ends by itself.
import { writeFileSync } from "node:fs";

// Under QEMU the system cannot start Node's own file.
if (process.env.R1_TEST_NODE !== undefined) process.execPath = process.env.R1_TEST_NODE;

const [result, folder, ...words] = process.argv.slice(2);

/** A folder of this test alone, and what run.mjs passes besides. */
export const given = Object.freeze({ folder, words });

/** Throws unless `holds`. */
export function check(holds, claim, facts) {
  if (!holds) throw new Error(`${claim}: ${JSON.stringify(facts)}`);
}

/** Returns the code of the error that a promise rejects with; undefined if it does not reject. */
export async function codeOf(work) {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error.code ?? String(error);
  }
}

/** Runs the checks and writes what they return. */
export async function report(checks) {
  let made;
  try {
    made = { facts: await checks() };
  } catch (error) {
    made = { error: error.stack ?? String(error), code: error.code };
  }
  writeFileSync(result, JSON.stringify(made));
}
