// Reads the headers of a model, local or remote, given any of its parts. Missing parts are listed,
// not refused. Asynchronous.
import { isR1Error } from "../base/errors.js";
import { isHubReference } from "../hub/reference.js";
import type { GgufHeader } from "./format.js";
import type { RemoteOptions } from "./inspect-remote.js";
import { readGgufFile } from "./open-file.js";
import { parseShardName, shardPath } from "./shards.js";

/** The parts of a model that could be read. */
export interface ReadParts {
  readonly isRemote: boolean;
  /** Headers by part number, from 1, in order; never empty. */
  readonly headers: ReadonlyMap<number, GgufHeader>;
  /** The number of parts the model should have. */
  readonly expected: number;
  /** Paths or URLs of the missing parts. */
  readonly missing: readonly string[];
}

/**
 * Returns the header with the lowest part number. If the first part is present, this is the header
 * with the metadata.
 */
export function lowestHeader(parts: ReadParts): GgufHeader {
  for (const header of parts.headers.values()) return header;
  throw new TypeError("no header was read");
}

/**
 * Reads the headers of all parts that are present.
 *
 * @param source - A path, an `http(s)` URL, or `hf:owner/name:QUANT`; any part of a split model.
 * @param onlyThisFile - Ignore the other parts of a split model.
 * @throws {R1Error} like `readGgufFile` and `readRemoteHeader`, except that other parts may be
 * missing (`FILE_NOT_FOUND`); for a reference like `locateModel`.
 */
export async function readParts(
  source: string,
  options: RemoteOptions,
  onlyThisFile: boolean,
): Promise<ReadParts> {
  if (!isHubReference(source)) return readPartsAt(source, options, onlyThisFile);
  const { locateModel } = await import("../hub/resolve.js");
  const { url, headers } = await locateModel(source, options);
  return readPartsAt(
    url,
    { ...options, headers: { ...headers, ...options.headers } },
    onlyThisFile,
  );
}

async function readPartsAt(
  source: string,
  options: RemoteOptions,
  onlyThisFile: boolean,
): Promise<ReadParts> {
  const isRemote = /^https?:\/\//i.test(source);
  const read = async (from: string): Promise<GgufHeader> => {
    if (!isRemote) return readGgufFile(from, options.signal);
    const { readRemoteHeader } = await import("./inspect-remote.js");
    return readRemoteHeader(from, options);
  };
  const given = await read(source);
  const entry = given.entries.get("split.count");
  const count = entry !== undefined && entry.type !== "arr" ? Number(entry.value) : 0;
  // The query of a URL follows the name.
  const [path = "", query = ""] = isRemote ? source.split(/(?=\?)/) : [source];
  const name = parseShardName(path);
  if (count <= 1 || name === undefined || name.count !== count)
    return { isRemote, headers: new Map([[1, given]]), expected: Math.max(1, count), missing: [] };
  const headers = new Map([[name.part, given]]);
  const missing: string[] = [];
  for (let part = 1; part <= count && !onlyThisFile; part++) {
    if (part === name.part) continue;
    const other = shardPath(name.prefix, part, count) + query;
    try {
      headers.set(part, await read(other));
    } catch (error) {
      if (!isR1Error(error, "FILE_NOT_FOUND")) throw error;
      missing.push(other);
    }
  }
  return {
    isRemote,
    headers: new Map([...headers].sort(([a], [b]) => a - b)),
    expected: count,
    missing,
  };
}
