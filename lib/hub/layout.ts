// Where downloaded files are stored: in a plain folder under their own names, or in the layout of
// the Hub's cache. Asynchronous.
import { randomBytes } from "node:crypto";
import { copyFile, link, mkdir, readFile, readlink, rm, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { replaceFile } from "../base/files/replace.js";
import { fileIdentity } from "../base/files/same-file.js";
import { writeFileAtomically } from "../base/files/writer.js";
import { onDisk } from "./disk.js";
import type { HubFile, Listing } from "./listing.js";

/** Where the files of one download are stored. */
export interface Layout {
  /** The folder that contains all files. */
  readonly folder: string;
  /** The folder whose disk is checked for free space. */
  readonly root: string;
  /**
   * Whether an existing file at a target may belong to someone else: it is then neither trusted nor
   * replaced without `force`.
   */
  readonly isShared: boolean;
  /** The path that stores a file's bytes. */
  target(file: HubFile): string;
  /** The path at which a file is opened. */
  path(file: HubFile): string;
  /** Called when the bytes of a file are in place. */
  place(file: HubFile): Promise<void>;
  /** Called when all files are in place. */
  finish(): Promise<void>;
}

/** A plain folder: paths as in the repository. */
export function folderLayout(folder: string): Layout {
  const path = (file: HubFile): string => join(folder, ...file.path.split("/"));
  return {
    folder,
    root: folder,
    isShared: true,
    target: path,
    path,
    place: () => Promise.resolve(),
    finish: () => Promise.resolve(),
  };
}

/** The folder of a repository in the Hub's cache. */
export function storeFolder(cache: string, repo: string): string {
  return join(cache, `models--${repo.replace("/", "--")}`);
}

/** Returns the path of the note with the commit of a branch or tag. */
function refPath(store: string, revision: string): string {
  return join(store, "refs", ...revision.split("/"));
}

/** Returns the commit of a revision at its last download; undefined if it was never downloaded. */
export async function cachedCommit(store: string, revision: string): Promise<string | undefined> {
  if (/^[0-9a-f]{40}$/.test(revision)) return revision;
  const text = await readFile(refPath(store, revision), "utf8").catch(() => "");
  return /^[0-9a-f]{40}\s*$/.test(text) ? text.trim() : undefined;
}

/**
 * Makes the name of a file in a snapshot. On Windows symbolic links need a privilege that users
 * lack, so the name is a hard link there, or a copy on a disk without links.
 *
 * @param to - The file, relative to the folder of `at`.
 */
async function nameFile(to: string, at: string): Promise<void> {
  if (process.platform !== "win32") return symlink(to, at);
  const file = join(dirname(at), to);
  await link(file, at).catch(() => copyFile(file, at));
}

/** Whether a name in a snapshot stands for a file. */
async function isNamed(to: string, at: string): Promise<boolean> {
  if ((await readlink(at).catch(() => undefined)) === to) return true;
  if (process.platform !== "win32") return false;
  return (await fileIdentity(at)) === (await fileIdentity(join(dirname(at), to)));
}

/** The Hub's cache: `blobs` by hash, `snapshots` of links by commit, `refs` by branch. */
export function cacheLayout(cache: string, listing: Listing): Layout {
  const store = storeFolder(cache, listing.repo);
  const folder = join(store, "snapshots", listing.commit);
  const target = (file: HubFile): string => join(store, "blobs", file.hash.hex);
  const path = (file: HubFile): string => join(folder, ...file.path.split("/"));
  /** Replaces a link atomically: it is never missing. */
  const replaceLink = async (at: string, to: string): Promise<void> => {
    const temporary = `${at}.${randomBytes(6).toString("hex")}.new`;
    try {
      await onDisk(at, mkdir(dirname(at), { recursive: true }));
      await onDisk(at, nameFile(to, temporary));
      await onDisk(at, replaceFile(temporary, at));
    } finally {
      await rm(temporary, { force: true });
    }
  };
  return {
    folder,
    root: store,
    isShared: false,
    target,
    path,
    place: async (file) => {
      const to = relative(dirname(path(file)), target(file));
      if (!(await isNamed(to, path(file)))) await replaceLink(path(file), to);
    },
    finish: async () => {
      if (listing.revision === listing.commit) return;
      const ref = refPath(store, listing.revision);
      await onDisk(ref, mkdir(dirname(ref), { recursive: true }));
      await writeFileAtomically(ref, { force: true }, ({ handle }) =>
        handle.writeFile(listing.commit),
      );
    },
  };
}
