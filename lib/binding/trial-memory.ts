// Remembers which files have passed their trial: in this process, and in the user's cache folder if
// it is writable. All waiting is asynchronous.
import { createHash } from "node:crypto";
import { lstat, mkdir, open, readFile, readdir, rm, stat } from "node:fs/promises";
import { cpus, homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { createRequire } from "node:module";
import { writeFileAtomically } from "../base/files/writer.js";
import { addonFolder, native } from "./load.js";
import type { TrialTask } from "./trial-process.js";

/** Number of entries that are kept; the oldest are dropped. An entry has about 100 bytes. */
const MAX_ENTRIES = 1000;

/**
 * Maximum bytes of each part that are read for its fingerprint: more than the header of a real
 * model.
 */
const MAX_HEADER = 64 * 1024 * 1024;

const passed = new Set<string>();

/** The folder of the entries, in the user's cache folder. */
function folder(): string | undefined {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const own = (base: string | undefined, ...parts: string[]): string | undefined =>
    base === undefined || !isAbsolute(base)
      ? undefined
      : join(base, ...parts, "r1-native", "trials");
  const home = (): string | undefined => {
    try {
      return homedir();
    } catch {
      return undefined; // a user without an entry and without HOME
    }
  };
  if (process.platform === "win32") return own(LOCALAPPDATA);
  if (process.platform === "darwin") return own(home(), "Library", "Caches");
  return own(XDG_CACHE_HOME) ?? own(home(), ".cache");
}

/** A part of a model, and where its header ends. */
export interface TrialPart {
  readonly path: string;
  readonly headerBytes: number;
}

/** Hashes size, times and header of a file. */
async function fingerprint({ path, headerBytes }: TrialPart): Promise<string> {
  const file = await open(path, "r");
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
    const hash = createHash("sha256");
    const piece = Buffer.alloc(1 << 20);
    const end = Math.min(headerBytes, MAX_HEADER);
    for (let at = 0; at < end;) {
      const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, end - at), at);
      if (bytesRead === 0) break;
      hash.update(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
    return [path, dev, ino, size, mtimeNs, ctimeNs, hash.digest("hex")].join(" ");
  } finally {
    await file.close();
  }
}

let version: string | undefined;

/**
 * The other things that decide how a file behaves: this package and its addon, llama.cpp, the
 * processor.
 */
async function surroundings(): Promise<string> {
  version ??= (createRequire(import.meta.url)("../../package.json") as { version: string }).version;
  const { mtimeMs } = await stat(addonFolder());
  const processor = cpus()[0]?.model ?? "";
  return [version, native().llamaVersion(), mtimeMs, process.arch, processor].join(" ");
}

/**
 * Returns the key of a trial: the same files, tried with the same options by the same versions.
 *
 * @throws the system's error when a file cannot be read.
 */
export async function trialKey(task: TrialTask, parts: readonly TrialPart[]): Promise<string> {
  const prints: string[] = [await surroundings(), JSON.stringify(task)];
  for (const part of parts) prints.push(await fingerprint(part));
  return createHash("sha256").update(prints.join("\n")).digest("hex");
}

const contentOf = (key: string): string => `r1-native: a model file passed its trial\n${key}\n`;

/**
 * Whether a trial with this key was passed. An entry that is damaged, or not this user's, is
 * ignored.
 */
export async function hasPassed(key: string): Promise<boolean> {
  if (passed.has(key)) return true;
  const place = folder();
  if (place === undefined) return false;
  try {
    const path = join(place, key);
    const facts = await lstat(path);
    const user = process.getuid?.();
    const isOurs = user === undefined || (facts.uid === user && (facts.mode & 0o022) === 0);
    if (!facts.isFile() || !isOurs || facts.size !== contentOf(key).length) return false;
    if ((await readFile(path, "utf8")) !== contentOf(key)) return false;
    passed.add(key);
    return true;
  } catch {
    return false;
  }
}

/** Drops the oldest entries when there are too many. */
async function tidy(place: string): Promise<void> {
  const names = await readdir(place);
  if (names.length <= MAX_ENTRIES) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, time: (await lstat(join(place, name))).mtimeMs })),
  );
  dated.sort((a, b) => a.time - b.time);
  const surplus = dated.slice(0, names.length - MAX_ENTRIES / 2);
  await Promise.all(surplus.map(({ name }) => rm(join(place, name), { force: true })));
}

/** Remembers a passed trial. If the folder is not writable, only this process remembers it. */
export async function rememberPassed(key: string): Promise<void> {
  passed.add(key);
  const place = folder();
  if (place === undefined) return;
  try {
    await mkdir(place, { recursive: true, mode: 0o700 });
    const path = join(place, key);
    await writeFileAtomically(path, { force: true, isPrivate: true }, ({ handle }) =>
      handle.writeFile(contentOf(key)),
    );
    await tidy(place);
  } catch {
    // The next process tries the file again: slower, but not an error.
  }
}
