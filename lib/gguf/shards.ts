// Split models: the names of the parts, what each part says about itself, and whether all are
// present. Asynchronous.
import { access } from "node:fs/promises";
import { basename } from "node:path";
import { R1Error } from "../base/errors.js";
import type { GgufHeader } from "./format.js";
import { readGgufFile } from "./open-file.js";

/**
 * The split keys of a GGUF file, with the types that llama.cpp requires (another type aborts the
 * process there).
 */
export const SPLIT_KEYS = Object.freeze({
  no: "split.no",
  count: "split.count",
  tensors: "split.tensors.count",
});
const SPLIT_TYPES = {
  [SPLIT_KEYS.no]: "u16",
  [SPLIT_KEYS.count]: "u16",
  [SPLIT_KEYS.tensors]: "i32",
} as const;

/** The path of a part of a split model, parsed. */
export interface ShardName {
  /** Everything before `-00001-of-00003.gguf`. */
  readonly prefix: string;
  /** Number of the part, from 1. */
  readonly part: number;
  /** Number of parts. */
  readonly count: number;
}

/** Parses the path of a part of a split model; undefined if it has no such name. */
export function parseShardName(path: string): ShardName | undefined {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s.exec(path);
  if (match === null) return undefined;
  const [, prefix = "", part = "", count = ""] = match;
  return { prefix, part: Number(part), count: Number(count) };
}

/** Returns the path of a part of a split model; `part` counts from 1. */
export function shardPath(prefix: string, part: number, count: number): string {
  const digits = (n: number): string => String(n).padStart(5, "0");
  return `${prefix}-${digits(part)}-of-${digits(count)}.gguf`;
}

function splitError(path: string, message: string): R1Error {
  return new R1Error("SHARD_INVALID", `"${path}" ${message}`, { details: { path } });
}

/**
 * Returns the value of a split key; undefined if the file has none.
 * @throws {R1Error} `SHARD_INVALID` if its type differs from llama.cpp's.
 */
export function splitValue(header: GgufHeader, key: keyof typeof SPLIT_KEYS): number | undefined {
  const name = SPLIT_KEYS[key];
  const entry = header.entries.get(name);
  if (entry === undefined) return undefined;
  if (entry.type !== SPLIT_TYPES[name]) {
    throw splitError(
      header.path,
      `has metadata "${name}" of type ${entry.type}, where ${SPLIT_TYPES[name]} is right. Download this part again.`,
    );
  }
  return entry.value as number;
}

async function missingParts(paths: readonly string[]): Promise<string[]> {
  const present = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        (error: unknown) => (error as NodeJS.ErrnoException).code !== "ENOENT",
      ),
    ),
  );
  return paths.filter((_, i) => !present[i]);
}

/**
 * Returns the paths of all parts, in order, given the first part's header; for a model in one file
 * just its own path.
 */
async function shardPaths(first: GgufHeader): Promise<string[]> {
  const count = splitValue(first, "count") ?? 0;
  const no = splitValue(first, "no") ?? 0;
  const name = parseShardName(first.path);
  if (count <= 1) return [first.path];
  if (no !== 0) {
    const hint =
      name === undefined ? "the first part" : `"${shardPath(name.prefix, 1, name.count)}"`;
    throw splitError(
      first.path,
      `is part ${no + 1} of ${count} of a split model. Give ${hint} instead.`,
    );
  }
  if (name === undefined || name.count !== count || name.part !== 1) {
    throw splitError(
      first.path,
      `is the first of ${count} parts but its name does not end in -00001-of-${String(count).padStart(5, "0")}.gguf. Give it its original name.`,
    );
  }
  const paths = Array.from({ length: count }, (_, i) =>
    i === 0 ? first.path : shardPath(name.prefix, i + 1, count),
  );
  const missing = await missingParts(paths);
  if (missing.length > 0) {
    const listed = missing
      .slice(0, 8)
      .map((path) => `"${basename(path)}"`)
      .join(", ");
    const more = missing.length > 8 ? ` and ${missing.length - 8} more` : "";
    throw new R1Error(
      "SHARD_MISSING",
      `Of the ${count} parts of "${first.path}", ${missing.length} ${missing.length === 1 ? "is" : "are"} missing: ${listed}${more}. Put ${missing.length === 1 ? "it" : "them"} into the same folder.`,
      {
        details: { path: first.path, missing },
      },
    );
  }
  return paths;
}

/**
 * Reads the headers of all parts of a model, given the first, and checks that they belong together.
 *
 * @throws {R1Error} `SHARD_MISSING`, `SHARD_INVALID`, and like {@link readGgufFile}.
 */
export async function readAllParts(
  path: string,
  signal?: AbortSignal,
): Promise<[GgufHeader, ...GgufHeader[]]> {
  const first = await readGgufFile(path, signal);
  const [, ...rest] = await shardPaths(first);
  const headers: [GgufHeader, ...GgufHeader[]] = [first];
  for (const part of rest) headers.push(await readGgufFile(part, signal));
  checkParts(headers);
  return headers;
}

/**
 * Checks that the parts of a split model, complete and in order, belong together. A model in one
 * file always passes.
 *
 * @throws {R1Error} `SHARD_INVALID`.
 */
export function checkParts(headers: readonly GgufHeader[]): void {
  const [first] = headers;
  if (first === undefined || headers.length === 1) return;
  const names = new Map<string, string>();
  for (const [i, header] of headers.entries()) {
    const no = splitValue(header, "no");
    const count = splitValue(header, "count");
    if (no !== i)
      throw splitError(
        header.path,
        `says it is part ${no === undefined ? "(nothing)" : no + 1}, but its name says ${i + 1}. Restore the original names.`,
      );
    if (count !== headers.length)
      throw splitError(
        header.path,
        `says it is one of ${count ?? "(nothing)"} parts, but the first part says ${headers.length}. Download the parts from one place.`,
      );
    splitValue(header, "tensors");
    for (const tensor of header.tensors) {
      const other = names.get(tensor.name);
      if (other !== undefined)
        throw splitError(
          header.path,
          `holds tensor "${tensor.name}", and so does "${other}". Download the parts from one place.`,
        );
      names.set(tensor.name, header.path);
    }
  }
  const claimed = splitValue(first, "tensors");
  if (claimed !== names.size) {
    throw splitError(
      first.path,
      `says its parts hold ${claimed ?? "(nothing)"} tensors in all, but they hold ${names.size}. Download the parts from one place.`,
    );
  }
}

/** @throws {R1Error} `FILE_TRUNCATED` if a file is shorter than its tensor table claims. */
export function checkLength(header: GgufHeader): void {
  if (header.tensors.length === 0 || header.fileBytes >= header.dataEnd) return;
  throw new R1Error(
    "FILE_TRUNCATED",
    `"${header.path}" is cut short: its tensors reach to byte ${header.dataEnd}, the file ends at ${header.fileBytes}. Download or copy it again.`,
    { details: { path: header.path, fileBytes: header.fileBytes, expectedBytes: header.dataEnd } },
  );
}
