// Writes and reads small private files whole, such as saved conversations.
import { writeAll, writeFileAtomically } from "./files/writer.js";

export { fileFailure } from "./files/failure.js";
export { readWhole } from "./files/read.js";

/**
 * Replaces a file in one go. Readers see the old one or the whole new one, which only its owner may
 * read.
 *
 * @param fill - Writes the temporary file, which exists and is empty, by its path.
 * @throws {R1Error} `FILE_NOT_FOUND` (the folder), `FILE_IS_DIRECTORY`, `FILE_UNWRITABLE`,
 * `NO_SPACE`, `IO_FAILED`, and what `fill` throws; nothing is left behind then.
 */
export async function replaceFile(
  path: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  await writeFileAtomically(path, { force: true, isPrivate: true }, ({ temporary }) =>
    fill(temporary),
  );
}

/**
 * As {@link replaceFile}, with bytes that are in memory.
 *
 * @param pieces - The bytes, in order.
 */
export async function writeWhole(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  await writeFileAtomically(path, { force: true, isPrivate: true }, async ({ handle }) => {
    let position = 0;
    for (const piece of pieces) {
      await writeAll(handle, piece, position);
      position += piece.length;
    }
  });
}
