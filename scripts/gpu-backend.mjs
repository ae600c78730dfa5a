// Downloads the prebuilt Vulkan backend that test/gpu/vulkan.lock.json names to test/gpu/.cache,
// and reports what is missing to run it. Part of `npm run test:gpu`.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { arch, platform } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchPackage } from "./build/npm-package.mjs";
import { BuildError, capture, main } from "./build/process.mjs";

const tests = resolve(dirname(fileURLToPath(import.meta.url)), "..", "test", "gpu");
const cache = join(tests, ".cache");

/** Where the Vulkan loader looks for drivers; lavapipe, Mesa's software device, is lvp_icd. */
const DRIVER_FOLDERS = [
  "/usr/share/vulkan/icd.d",
  "/etc/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
];

/** The description of Mesa's software driver. */
export function softwareDriver() {
  const files = DRIVER_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder).map((name) => join(folder, name)),
  );
  const found = files.find((file) => /\/lvp_icd[\w.]*\.json$/.test(file));
  if (found !== undefined) return found;
  throw new BuildError(
    "there is no software Vulkan device here; install it: sudo apt-get install mesa-vulkan-drivers libvulkan1",
  );
}

/** The folder with the backend library; it is fetched at the first call. */
export async function vulkanBackend({ log = console.error } = {}) {
  if (platform() !== "linux" || arch() !== "x64")
    throw new BuildError(
      "the GPU tests run on Linux x64 only: their backend library is made for it.",
    );
  const lock = JSON.parse(readFileSync(join(tests, "vulkan.lock.json"), "utf8"));
  const target = join(cache, lock.package.replaceAll(/[^\w.-]+/g, "-"));
  if (existsSync(target)) return target;
  const work = join(cache, `.tmp-${process.pid}`);
  mkdirSync(join(work, "files"), { recursive: true });
  try {
    log(`r1-native: fetching ${lock.package} (24 MB, once)`);
    const archive = await fetchPackage(lock, { into: work, lockName: "test/gpu/vulkan.lock.json" });
    const names = lock.files.map((name) => `${lock.folder}/${name}`);
    const run = capture("tar", [
      "-xzf",
      archive,
      "-C",
      join(work, "files"),
      "--strip-components",
      String(lock.folder.split("/").length),
      ...names,
    ]);
    if (!run.ok)
      throw new BuildError(`could not unpack ${lock.package}: ${run.stderr.trim().split("\n")[0]}`);
    renameSync(join(work, "files"), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    softwareDriver();
    console.log(await vulkanBackend());
  });
}
