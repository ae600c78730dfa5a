// Checks of the load options that are not simply a number, a switch or a word.
import { resolve } from "node:path";
import {
  array,
  boolean,
  callback,
  integer,
  knownKeys,
  number,
  object,
  oneOf,
  refuse,
  string,
} from "../../base/check.js";
import { R1Error } from "../../base/errors.js";
import { FILE_ROPE } from "../../binding/file-rope.js";
import type { NativeMetadataOverride } from "../../binding/native-quantize.js";
import type { MetadataValue } from "../load-options.js";
import type { Check } from "./row.js";

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
const MAX_TENSOR_SPLIT = 16;
const MAX_OVERRIDE_BYTES = 127;
const MIN_KEY_BYTES = 16;
/** Limits of `tensorOverrides`: entries, and characters per pattern. llama.cpp's names have 63. */
const MAX_OVERRIDES = 512;
const MAX_PATTERN = 1000;

export const logger: Check = (value, path) => {
  if (typeof value === "function") return value;
  const methods = object(value, path);
  const given = LOG_LEVELS.filter((level) => methods[level] !== undefined);
  for (const level of given) callback(methods[level], `${path}.${level}`);
  if (given.length === 0)
    refuse(path, `a function, or an object with a function ${LOG_LEVELS.join(", ")}`, value);
  return value;
};

export const gpuLayers: Check = (value, path) =>
  value === "auto" || value === "all"
    ? value
    : typeof value === "number"
      ? integer(value, path, 0, 10_000)
      : refuse(path, 'a number of layers, "auto" or "all"', value);

export const folder: Check = (value, path) => resolve(string(value, path));

export const names: Check = (value, path) => array(value, path, (name, at) => string(name, at));

export const modelPath: Check = (value, path) =>
  value instanceof URL ? value : string(value, path);

export const tensorSplit: Check = (value, path) => {
  const shares = array(value, path, (share, at) => number(share, at, 0, 1e15));
  return shares.length > MAX_TENSOR_SPLIT
    ? refuse(path, `at most ${MAX_TENSOR_SPLIT} shares`, value)
    : shares;
};

export const tensorOverrides: Check = (value, path) => {
  const entries = Array.isArray(value)
    ? array(value, path, (entry, at) => {
        const given = object(entry, at);
        knownKeys(given, at, ["pattern", "buffer"]);
        const { pattern, buffer } = given;
        return {
          pattern: string(pattern, `${at}.pattern`),
          buffer: string(buffer, `${at}.buffer`),
        };
      })
    : Object.entries(object(value, path)).map(([pattern, buffer]) => ({
        pattern: string(pattern, path),
        buffer: string(buffer, `${path}["${pattern}"]`),
      }));
  if (entries.length > MAX_OVERRIDES) refuse(path, `at most ${MAX_OVERRIDES} entries`, value);
  for (const { pattern } of entries)
    if (pattern.length > MAX_PATTERN)
      refuse(path, `patterns of at most ${MAX_PATTERN} characters`, pattern);
  return entries.map((entry) => Object.freeze(entry));
};

function metadataOverride(key: string, given: unknown, path: string): NativeMetadataOverride {
  if (Buffer.byteLength(key) > MAX_OVERRIDE_BYTES)
    refuse(path, `a key of at most ${MAX_OVERRIDE_BYTES} bytes`, key);
  const long = typeof given === "object" && given !== null ? object(given, path) : undefined;
  if (long !== undefined) knownKeys(long, path, ["kind", "value"]);
  const value = long === undefined ? given : long.value;
  const kind =
    long !== undefined
      ? oneOf(long.kind, `${path}.kind`, ["int", "float", "bool", "string"])
      : typeof value === "number"
        ? Number.isInteger(value)
          ? "int"
          : "float"
        : typeof value === "boolean"
          ? "bool"
          : "string";
  if (kind === "int") integer(value, path, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  else if (kind === "float") number(value, path, -Number.MAX_VALUE, Number.MAX_VALUE);
  else if (kind === "bool") boolean(value, path);
  else if (Buffer.byteLength(string(value, path, true)) > MAX_OVERRIDE_BYTES)
    refuse(path, `a string of at most ${MAX_OVERRIDE_BYTES} bytes`, value);
  return { key, kind, value: value as number | boolean | string };
}

export const metadataOverrides: Check = (value, path) =>
  Object.entries(object(value, path) as Record<string, MetadataValue>).map(([key, given]) =>
    metadataOverride(string(key, path), given, `${path}["${key}"]`),
  );

export const rope: Check = (value, path) => {
  const given = object(value, path);
  knownKeys(given, path, Object.keys(FILE_ROPE));
  const merged: Record<string, unknown> = { ...FILE_ROPE };
  for (const [key, entry] of Object.entries(given)) {
    if (entry === undefined) continue;
    if (key === "scaling")
      merged[key] = oneOf(entry, `${path}.scaling`, ["file", "none", "linear", "yarn", "longrope"]);
    else if (key === "yarnOrigCtx")
      merged[key] = integer(entry, `${path}.yarnOrigCtx`, 0, 2 ** 31 - 1);
    else merged[key] = number(entry, `${path}.${key}`, key.startsWith("yarn") ? -1e9 : 0, 1e9);
  }
  return Object.freeze(merged);
};

/** Returns a copy of the key's bytes. Errors contain neither the key nor its length. */
export const sessionKey: Check = (value, path) => {
  if (typeof value !== "string" && !(value instanceof Uint8Array))
    refuse(path, "a string or a Uint8Array", value);
  // Not slice(): that of a Buffer shares its memory.
  const bytes =
    typeof value === "string" ? new TextEncoder().encode(value) : Uint8Array.from(value);
  if (bytes.length < MIN_KEY_BYTES)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `\`${path}\` must have at least ${MIN_KEY_BYTES} bytes. Use random ` +
        "ones, e.g. `crypto.randomBytes(32)`, and store them where readers of " +
        "the sessions cannot read them.",
      { details: { option: path } },
    );
  return bytes;
};
