// Reads a file that gzip compressed, from its beginning to its end. Runs on the JavaScript thread;
// the reading and the decompression on libuv's pool.
import { createReadStream } from "node:fs";
import { createGunzip, type Gunzip } from "node:zlib";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import type { ByteSource } from "./lines.js";

/** Whether the name of a file says that it is compressed. */
export const isGzip = (path: string): boolean => /\.gz$/i.test(path);

/** The content of a compressed file as a stream, whose failures {@link gzipFailure} words. */
export function gunzipStream(path: string): Gunzip {
  const file = createReadStream(path);
  const stream = createGunzip();
  file.on("error", (error) => stream.destroy(error));
  stream.on("close", () => file.destroy());
  return file.pipe(stream);
}

/** A failure of {@link gunzipStream}. */
export function gzipFailure(error: unknown, path: string): unknown {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (!code.startsWith("Z_")) return fileFailure(error, path, "read");
  return new R1Error(
    "INPUT_INVALID",
    `"${path}" cannot be decompressed: ${message}. Check it with: gzip -t FILE.`,
    { cause: error, details: { path } },
  );
}

/** A compressed file as a source of bytes that are read one piece after the other. */
export function gzipSource(path: string): ByteSource {
  const stream = gunzipStream(path);
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  let rest: Buffer = Buffer.alloc(0);
  return {
    read: async (buffer, offset, length) => {
      try {
        while (rest.length === 0) {
          const { value, done } = await pieces.next();
          if (done === true) return { bytesRead: 0 };
          rest = value;
        }
      } catch (error) {
        throw gzipFailure(error, path);
      }
      const bytesRead = rest.copy(buffer, offset, 0, length);
      rest = rest.subarray(bytesRead);
      return { bytesRead };
    },
    close: () => {
      stream.destroy();
      return Promise.resolve();
    },
  };
}
