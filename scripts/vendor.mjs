// Puts the pinned llama.cpp tree into vendor/llama.cpp, or says which other tree is used. A script of its own, and called by the build.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { pipeline } from "node:stream/promises";
import { BuildError, capture, main, which } from "./build/process.mjs";
import { requireGit } from "./build/tools.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const vendorDir = join(root, "vendor");
const target = join(vendorDir, "llama.cpp");
/** Holds the commit of a finished tree. It lies in the tree, so that both come and go together. */
const MARK = ".r1-commit";

/** npm settings that say how to reach a registry. All others belong to the npm that called us (`--dry-run`, a prefix, a workspace) and are not passed on. */
const NPM_NETWORK =
  /^npm_config_(registry|proxy|https?_proxy|noproxy|ca|cafile|cert|key|strict_ssl|userconfig|globalconfig|cache|offline|prefer_offline|prefer_online|fetch_.*|maxsockets|local_address)$/i;

function isLlamaTree(dir) {
  return existsSync(join(dir, "include", "llama.h")) && existsSync(join(dir, "ggml", "CMakeLists.txt"));
}

function git(dir, ...args) {
  // Git's own variables would point it at the repository whose hook or rebase called npm.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  return capture("git", dir === undefined ? args : ["-C", dir, ...args], { env });
}

/** The commit a finished tree is at; undefined if there is none. A clone made by hand gets its mark here. */
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

function download(lock, into) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || NPM_NETWORK.test(name)));
  const cli = process.env.npm_execpath;
  const [command, first] = cli?.endsWith("npm-cli.js") && existsSync(cli) ? [process.execPath, [cli]] : ["npm", []];
  const run = capture(command, [...first, "pack", lock.package, "--ignore-scripts", "--loglevel=error", "--pack-destination", into], { cwd: into, env });
  if (run.missing) throw new BuildError("npm was not found; it comes with Node, so put Node's bin folder on PATH.");
  const file = readdirSync(into).find((name) => name.endsWith(".tgz"));
  if (run.ok && file !== undefined) return join(into, file);
  const why = /npm error (?:code )?(E[A-Z0-9]+|.*)/.exec(run.stderr)?.[1] ?? "no reason given";
  throw new BuildError(
    `could not download ${lock.package} (${why}); check the network and the registry of npm, or set R1_LLAMA_CPP_DIR to a llama.cpp tree of ${lock.tag}.`,
  );
}

async function checkIntegrity(lock, file) {
  const [algorithm] = lock.integrity.split("-", 1);
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  const found = `${algorithm}-${hash.digest("base64")}`;
  if (found === lock.integrity) return;
  throw new BuildError(`${lock.package} is not the file that vendor/llama.cpp.lock.json names (its integrity is ${found}), so nothing of it was used.`);
}

function unpack(lock, archive, into) {
  if (!which("tar")) throw new BuildError("tar is needed to unpack llama.cpp and was not found; install it with your package manager.");
  const run = capture("tar", ["-xzf", archive, "-C", into, lock.bundle]);
  if (!run.ok) throw new BuildError(`could not unpack ${lock.bundle} out of ${lock.package}: ${run.stderr.trim().split("\n")[0]}`);
  const tree = join(into, "tree");
  const clone = git(undefined, "-c", "advice.detachedHead=false", "clone", "--quiet", "--template=", join(into, lock.bundle), tree);
  if (!clone.ok) throw new BuildError(`git could not clone the bundle of ${lock.package}: ${clone.stderr.trim().split("\n").at(-1)}`);
  const head = git(tree, "rev-parse", "HEAD").stdout.trim();
  if (head !== lock.commit)
    throw new BuildError(`the bundle of ${lock.package} is at commit ${head}, not at ${lock.commit} as vendor/llama.cpp.lock.json says.`);
  writeFileSync(join(tree, MARK), `${lock.commit}\n`);
  return tree;
}

/** Removes what runs that were killed left behind; a run that is still going keeps its folder. */
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
  const changes = existsSync(join(target, ".git")) ? git(target, "status", "--porcelain", "--untracked-files=no").stdout.trim() : "";
  if (changes === "") return;
  throw new BuildError("vendor/llama.cpp is at another commit and has local changes; move it away, or use it through R1_LLAMA_CPP_DIR.");
}

function readLock() {
  return JSON.parse(readFileSync(join(vendorDir, "llama.cpp.lock.json"), "utf8"));
}

/**
 * Makes sure that the llama.cpp tree is there, and returns its folder. A finished tree of the right commit costs a millisecond.
 * `R1_LLAMA_CPP_DIR` names another tree, which is used as it is.
 */
export async function vendor({ log = console.error } = {}) {
  const other = process.env.R1_LLAMA_CPP_DIR;
  if (other) {
    if (!isLlamaTree(other)) throw new BuildError(`R1_LLAMA_CPP_DIR is ${other}, and that is no llama.cpp tree (no include/llama.h and ggml/CMakeLists.txt).`);
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
    const archive = download(lock, work);
    await checkIntegrity(lock, archive);
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
