// `r1-native build`: builds the addon from the source in the package. Main thread; the build runs
// in a child process.
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import { isClone, packageFolder } from "../../base/package.js";
import { Interrupted, EXIT } from "../exit.js";

const HELP = `
Examples:
  r1-native build                  for this machine's processor
  r1-native build --cuda           with CUDA; needs nvcc and cuBLAS
  r1-native build --vulkan         with Vulkan; needs its headers and glslc
  r1-native build -- -DNAME=value  with definitions for CMake

Needs a C++17 compiler, CMake, and ninja or make, and no network. The result is used instead of the prebuilt package.
Installing r1-native again removes it.`;

interface BuildFlags {
  readonly cuda?: boolean;
  readonly vulkan?: boolean;
}

function runScript(script: string, words: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...words], { stdio: "inherit" });
    // Ctrl-C reaches both; the build ends by itself and its end is reported here.
    const wait = (): void => undefined;
    process.on("SIGINT", wait);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.off("SIGINT", wait);
      if (signal === "SIGINT" || code === EXIT.interrupted)
        reject(new Interrupted(EXIT.interrupted));
      else resolve(code ?? EXIT.failed);
    });
  });
}

async function build(definitions: readonly string[], flags: BuildFlags): Promise<void> {
  const script = join(packageFolder, "scripts", "build.mjs");
  if (!existsSync(script))
    throw new R1Error(
      "FILE_NOT_FOUND",
      `There is no ${script}: this copy of r1-native has no source to build. ` +
        "Install the package again.",
      { details: { path: script } },
    );
  const words = [
    ...(flags.cuda === true ? ["--cuda"] : []),
    ...(flags.vulkan === true ? ["--vulkan"] : []),
    ...(definitions.length > 0 ? ["--", ...definitions] : []),
  ];
  const code = await runScript(script, words);
  // The script has said what is wrong.
  if (code !== EXIT.ok) throw new Interrupted(code);
  // In an installed package nobody builds again soon, and the objects take ten times the result.
  if (!isClone()) rmSync(join(packageFolder, "build-native"), { recursive: true, force: true });
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("build")
    .argument("[definitions...]", "definitions for CMake, as -DNAME=value")
    .option("--cuda", "with the CUDA backend")
    .option("--vulkan", "with the Vulkan backend")
    .addHelpText("after", HELP)
    .action(build);
}
