// Moves broken lines out of the middle of an output, which a torn write cannot leave: something else
// damaged the file. Only on request. Runs on the JavaScript thread, under the lock of the output.
import { open } from "node:fs/promises";
import { fileFailure } from "../base/files/failure.js";
import { writeAll, writeFileAtomically } from "../base/files/writer.js";
import { asideName } from "./header.js";
import { readLines, textOf, type Line } from "./lines.js";
import { knownSampleOf } from "./record.js";

/** What was moved where. */
export interface Repaired {
  readonly lines: number;
  readonly aside: string;
}

function isRecord(line: Line): boolean {
  const text = textOf(line);
  return text?.trim() === "" || knownSampleOf(text) !== undefined;
}

/**
 * Takes broken lines out of a journal. The lock is on the file itself, so that it is written in
 * place: the broken lines are on the disk under another name first.
 *
 * @returns undefined when no line is broken.
 * @throws {R1Error} those of reading and writing files.
 */
export async function repair(path: string): Promise<Repaired | undefined> {
  const broken: { readonly start: number; readonly bytes: Buffer }[] = [];
  for await (const lines of readLines(path))
    for (const line of lines)
      if (!isRecord(line)) broken.push({ start: line.start, bytes: Buffer.from(line.bytes) });
  if (broken.length === 0) return undefined;
  const aside = asideName(path, "broken");
  await writeFileAtomically(aside, { force: true }, async ({ handle }) => {
    let at = 0;
    for (const { bytes } of broken) {
      await writeAll(handle, Buffer.concat([bytes, Buffer.from("\n")]), at);
      at += bytes.length + 1;
    }
  });
  const file = await open(path, "r+").catch((error: unknown) => {
    throw fileFailure(error, path, "written");
  });
  try {
    // Overwritten by blanks, a line is no record and no damage: nothing behind it moves.
    for (const { start, bytes } of broken)
      await writeAll(file, Buffer.alloc(bytes.length, " "), start);
    await file.datasync();
  } catch (error) {
    throw fileFailure(error, path, "written");
  } finally {
    await file.close();
  }
  return { lines: broken.length, aside };
}
