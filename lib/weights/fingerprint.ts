// Identifies model files without reading all of a 131 GB one. Files are read on libuv's thread
// pool.
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { R1Error } from "../base/errors.js";

/**
 * Bytes read at the start, where the header and its tensor table are, and at the end. Files up to
 * twice this size are read whole.
 */
const EDGE_BYTES = 16 * 1024 * 1024;
/** Number of samples, evenly spaced between the two ends. */
const SAMPLES = 256;
const SAMPLE_BYTES = 64 * 1024;

/**
 * SHA-256 over the sizes of all parts, the first and last 16 MiB of each, and 256 samples of 64 KiB
 * between them; files up to 32 MiB are hashed whole. Two conversions or quants of a model have
 * different fingerprints. A single weight that was changed on purpose in a large file may go
 * unnoticed.
 *
 * @throws {R1Error} `IO_FAILED` when a file is missing or no longer readable.
 */
export async function fingerprint(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1024 * 1024);
  try {
    for (const path of paths) {
      const file = await open(path, "r");
      try {
        const { size } = await file.stat();
        hash.update(`${size}\n`);
        const take = async (start: number, end: number): Promise<void> => {
          for (let at = start; at < end;) {
            const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at), at);
            if (bytesRead === 0) return;
            hash.update(buffer.subarray(0, bytesRead));
            at += bytesRead;
          }
        };
        const middle = size - EDGE_BYTES;
        await take(0, Math.min(size, EDGE_BYTES));
        for (let i = 0; i < SAMPLES && middle > EDGE_BYTES; i++) {
          const at = EDGE_BYTES + Math.floor(((middle - EDGE_BYTES) * i) / SAMPLES);
          await take(at, Math.min(middle, at + SAMPLE_BYTES));
        }
        await take(Math.max(EDGE_BYTES, middle), size);
      } finally {
        await file.close();
      }
    }
  } catch (error) {
    throw new R1Error(
      "IO_FAILED",
      `Cannot read the model's file any more: ${(error as Error).message}`,
      { cause: error, details: { paths } },
    );
  }
  return hash.digest("hex");
}
