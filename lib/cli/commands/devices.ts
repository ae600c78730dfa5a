// `r1-native devices`: lists the devices that llama.cpp can use here, and their memory. Main
// thread.
import type { Command } from "commander";
import { bytesText, tableText } from "../file-work.js";
import { write } from "../render.js";

const HELP = `
Examples:
  r1-native devices
  r1-native devices --backend-dir /opt/ggml-vulkan

A name of the first column goes after --device, and after = in --override-tensor. docs/gpu.md explains how to get GPU backends.`;

/** Lists the devices on standard output. */
export async function listDevices({
  backendDir,
  json,
}: {
  readonly backendDir?: string | undefined;
  readonly json?: boolean;
}): Promise<void> {
  const { devices } = await import("../../index.js");
  const found = devices(backendDir === undefined ? {} : { backendDir });
  if (json === true) {
    await write(process.stdout, `${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  const rows = found.map(({ name, type, totalBytes, freeBytes, description }) => [
    name,
    type,
    bytesText(totalBytes),
    bytesText(freeBytes),
    description,
  ]);
  await write(
    process.stdout,
    `${tableText([["device", "kind", "memory", "free", "description"], ...rows], [2, 3])}\n`,
  );
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("devices")
    .description("list the devices that can hold layers, and their memory")
    .option("--backend-dir <dir>", "folder with more backend libraries, such as libggml-vulkan.so")
    .option("--json", "as JSON")
    .addHelpText("after", HELP)
    .action(listDevices);
}
