// Puts the pinned llama.cpp tree into vendor/llama.cpp, or reports which other tree is used. The
// build calls it; it also runs as a script.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchPackage } from "./build/npm-package.mjs";
import { BuildError, capture, main, which } from "./build/process.mjs";
import { requireGit } from "./build/tools.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const vendorDir = join(root, "vendor");
const target = join(vendorDir, "llama.cpp");
/**
 * Contains the commit of a finished tree. It is stored in the tree, so that both appear and
 * disappear together.
 */
const MARK = ".r1-commit";

function isLlamaTree(dir) {
  return (
    existsSync(join(dir, "include", "llama.h")) && existsSync(join(dir, "ggml", "CMakeLists.txt"))
  );
}

function git(dir, ...args) {
  // Git's own variables would direct it to the repository whose hook or rebase called npm.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")),
  );
  return capture("git", dir === undefined ? args : ["-C", dir, ...args], { env });
}

/**
 * Returns the commit of a finished tree; undefined if there is none. A clone made by hand gets its
 * mark here.
 */
function commitOf(dir) {
  if (!isLlamaTree(dir)) return undefined;
  const mark = join(dir, MARK);
  if (existsSync(mark)) return readFileSync(mark, "utf8").trim();
  if (!existsSync(join(dir, ".git"))) return undefined;
  const head = git(dir, "rev-parse", "HEAD");
  if (!head.ok) return undefined;
  writeFileSync(mark, head.stdout);
  return head.stdout.trim();
}

function unpack(lock, archive, into) {
  if (!which("tar"))
    throw new BuildError(
      "tar is needed to unpack llama.cpp and was not found; install it with your package manager.",
    );
  const run = capture("tar", ["-xzf", archive, "-C", into, lock.bundle]);
  if (!run.ok)
    throw new BuildError(
      `could not unpack ${lock.bundle} out of ${lock.package}: ${run.stderr.trim().split("\n")[0]}`,
    );
  const tree = join(into, "tree");
  const clone = git(
    undefined,
    "-c",
    "advice.detachedHead=false",
    "clone",
    "--quiet",
    "--template=",
    join(into, lock.bundle),
    tree,
  );
  if (!clone.ok)
    throw new BuildError(
      `git could not clone the bundle of ${lock.package}: ${clone.stderr.trim().split("\n").at(-1)}`,
    );
  const head = git(tree, "rev-parse", "HEAD").stdout.trim();
  if (head !== lock.commit)
    throw new BuildError(
      `the bundle of ${lock.package} is at commit ${head}, not at ${lock.commit} as vendor/llama.cpp.lock.json says.`,
    );
  writeFileSync(join(tree, MARK), `${lock.commit}\n`);
  return tree;
}

/** Removes what killed runs left behind; a run that is still active keeps its folder. */
function removeLeftovers() {
  for (const name of readdirSync(vendorDir)) {
    const pid = /^\.tmp-(\d+)$/.exec(name)?.[1];
    if (pid === undefined) continue;
    try {
      process.kill(Number(pid), 0);
    } catch (error) {
      if (error.code === "ESRCH") rmSync(join(vendorDir, name), { recursive: true, force: true });
    }
  }
}

function refuseOverwrite() {
  const changes = existsSync(join(target, ".git"))
    ? git(target, "status", "--porcelain", "--untracked-files=no").stdout.trim()
    : "";
  if (changes === "") return;
  throw new BuildError(
    "vendor/llama.cpp is at another commit and has local changes; move it away, or use it through R1_LLAMA_CPP_DIR.",
  );
}

function readLock() {
  return JSON.parse(readFileSync(join(vendorDir, "llama.cpp.lock.json"), "utf8"));
}

/**
 * Makes sure that the llama.cpp tree exists, and returns its folder. Checking a finished tree of
 * the right commit takes a millisecond. `R1_LLAMA_CPP_DIR` names another tree, which is used
 * unchanged.
 */
export async function vendor({ log = console.error } = {}) {
  const other = process.env.R1_LLAMA_CPP_DIR;
  if (other) {
    if (!isLlamaTree(other))
      throw new BuildError(
        `R1_LLAMA_CPP_DIR is ${other}, and that is no llama.cpp tree (no include/llama.h and ggml/CMakeLists.txt).`,
      );
    return resolve(other);
  }
  const lock = readLock();
  if (commitOf(target) === lock.commit) return target;
  requireGit();
  if (existsSync(target)) refuseOverwrite();
  removeLeftovers();
  const work = join(vendorDir, `.tmp-${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  try {
    log(`r1-native: fetching llama.cpp ${lock.tag} (35 MB, once)`);
    const archive = await fetchPackage(lock, {
      into: work,
      lockName: "vendor/llama.cpp.lock.json",
      advice: `, or set R1_LLAMA_CPP_DIR to a llama.cpp tree of ${lock.tag}`,
    });
    const tree = unpack(lock, archive, work);
    if (existsSync(target)) renameSync(target, join(work, "old"));
    renameSync(tree, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await vendor()));
}
