// Describes the machine, versions and settings of a measurement. Runs in the main process.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { peerVersions } from "./peers.mjs";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

function commit() {
  try {
    const changed =
      execFileSync("git", ["status", "--porcelain", "--untracked-files=no", "lib", "native"], {
        encoding: "utf8",
      }).trim() !== "";
    return (
      execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim() +
      (changed ? " with changes" : "")
    );
  } catch {
    return "unknown";
  }
}

export function describeMachine(bench) {
  const lock = read("../../vendor/llama.cpp.lock.json");
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    r1Native: `${read("../../package.json").version} (${commit()})`,
    llamaCpp: lock.tag ?? lock.version ?? lock.commit,
    peers: peerVersions,
    threads: bench.threads,
    gpuLayers: bench.gpuLayers,
    quick: bench.quick,
    maxOthers: bench.maxOthers,
  };
}
