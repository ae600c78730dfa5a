// The other Node bindings that the benchmark compares with, installed on demand to bench/peers/,
// which git ignores. Runs in the main process and in drivers.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = fileURLToPath(new URL("../peers/", import.meta.url));

/** Exact versions, and only the binaries for the CPU: with the others they take 1 GB. */
const PACKAGES = {
  "node-llama-cpp": "3.22.1",
  "@node-llama-cpp/linux-x64": "3.22.1",
  "@fugood/llama.node": "1.7.15",
  "@fugood/node-llama-linux-x64": "1.7.15",
};

/** Whether there are binaries for this machine. */
export const hasPeers = process.platform === "linux" && process.arch === "x64";

function installedVersion(name) {
  try {
    return JSON.parse(readFileSync(`${folder}node_modules/${name}/package.json`, "utf8")).version;
  } catch {
    return undefined;
  }
}

/** Installs what is missing. */
export function installPeers(log) {
  const missing = Object.entries(PACKAGES).filter(
    ([name, version]) => installedVersion(name) !== version,
  );
  if (missing.length === 0) return;
  mkdirSync(folder, { recursive: true });
  if (!existsSync(`${folder}package.json`))
    writeFileSync(`${folder}package.json`, `${JSON.stringify({ private: true })}\n`);
  log(`installing ${missing.map(([name]) => name).join(", ")} into bench/peers`);
  const wanted = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  execFileSync(
    "npm",
    [
      "install",
      "--omit=optional",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--save-exact",
      ...wanted,
    ],
    {
      cwd: folder,
      stdio: "ignore",
    },
  );
}

/** The address of a peer's file, to import. */
export function peer(name, path) {
  return pathToFileURL(`${folder}node_modules/${name}/${path}`).href;
}

export const peerVersions = PACKAGES;
