// A copy of the compiled library beside a prebuilt addon, to run that instead of this machine's own
// build.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { BuildError } from "../build/process.mjs";

/** The CPU variants in a folder of prebuilt libraries, by their names in ggml. */
export function cpuVariants(folder) {
  return readdirSync(folder).flatMap((name) => /^libggml-cpu-(\w+)\.so$/.exec(name)?.[1] ?? []);
}

/** The folder of the prebuilt libraries of this platform, by `npm run prebuild`. */
export function prebuiltFolder(root) {
  const folder = join(root, "prebuilds", `${process.platform}-${process.arch}`);
  if (!existsSync(folder) || cpuVariants(folder).length < 2)
    throw new BuildError(`${folder} has no CPU variants; make them: npm run prebuild.`);
  return folder;
}

/**
 * Makes the copy. It is below `root`, whose node_modules it uses.
 *
 * @param variant - The only CPU variant that it has; undefined: all of them.
 * @returns The folder of the compiled library in the copy.
 */
export function copyWithPrebuilt(root, folder, variant) {
  const from = prebuiltFolder(root);
  const addon = join(folder, "prebuilds", `${process.platform}-${process.arch}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(addon, { recursive: true });
  cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "models"), join(folder, "models"));
  for (const name of readdirSync(from)) {
    const [, other] = /^libggml-cpu-(\w+)\.so$/.exec(name) ?? [];
    if (variant === undefined || other === undefined || other === variant)
      cpSync(join(from, name), join(addon, name));
  }
  return join(folder, "dist");
}
